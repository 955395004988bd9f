// The loss over the covariance ρ and the residual variance s, with a = -∂L/∂ρ and b = -2 ∂L/∂s.
//
// In closed form where there is one, else integrated over the Gaussian plane of (z, g) with
// λ = ρz + √s g. Without breakpoints but 0 in polar coordinates, where a kink is a ray.

import { REACH, legendre } from "./quadrature.js";
import { density } from "./special.js";

const TINY = 1e-200;
const AROUND = [-6, -2, 0, 2, 6]; // a smoothed breakpoint, in its own widths
const FINE = { radii: legendre(64), angles: legendre(24) };
const COARSE = { radii: legendre(32), angles: legendre(12) };

function polar({ rho, root, rule, visit }) {
  const tilt = Math.atan2(-rho, root); // of the ray λ = 0
  const turn = 2 * Math.PI;
  const rays = [Math.PI / 2, 3 * Math.PI / 2, tilt, tilt + Math.PI].map((x) => ((x % turn) + turn) % turn).sort((a, b) => a - b);
  rays.push(rays[0] + turn);
  const radii = Array.from(rule.radii.nodes, (x) => ((x + 1) * REACH) / 2);
  const radial = radii.map((r, i) => (rule.radii.weights[i] * REACH / 2) * r * Math.exp((-r * r) / 2) / turn);
  for (let sector = 0; sector < 4; sector++) {
    const half = (rays[sector + 1] - rays[sector]) / 2;
    if (half < 1e-12) continue;
    for (let k = 0; k < rule.angles.nodes.length; k++) {
      const angle = rays[sector] + half * (1 + rule.angles.nodes[k]);
      const [c, s] = [Math.cos(angle), rho * Math.cos(angle) + root * Math.sin(angle)];
      for (let i = 0; i < radii.length; i++) visit(c * radii[i], s * radii[i], half * rule.angles.weights[k] * radial[i]);
    }
  }
}

function panels(points, rule, visit) {
  const ends = [...new Set(points.filter((p) => Math.abs(p) < REACH).concat([-REACH, -4, 0, 4, REACH]))].sort((a, b) => a - b);
  for (let i = 1; i < ends.length; i++) {
    const half = (ends[i] - ends[i - 1]) / 2;
    for (let k = 0; k < rule.nodes.length; k++) {
      const x = ends[i - 1] + half * (1 + rule.nodes[k]);
      visit(x, half * rule.weights[k] * density(x));
    }
  }
}

function cut(pair, { rho, root, rule, visit }) {
  const around = rho === 0 ? [] : pair.breaks.flatMap((p) => AROUND.map((c) => (p + root * c) / rho));
  panels([...pair.labelBreaks, ...around], rule.angles, (z, outer) => {
    if (root === 0) { visit(z, rho * z, outer); return; }
    const inside = pair.breaks.map((p) => (p - rho * z) / root);
    panels(inside, rule.angles, (g, inner) => visit(z, rho * z + root * g, outer * inner));
  });
}

// Visit values (z, λ) with weights that integrate over the plane.
function plane(pair, rho, s, rule, visit) {
  const root = Math.sqrt(Math.max(s, 0));
  const rays = ![...pair.breaks, ...pair.labelBreaks].some(Boolean);
  if (rays && root > 0) polar({ rho, root, rule, visit });
  else cut(pair, { rho, root, rule, visit });
}

function integrated(pair, rho, s, rule) {
  const { label, sigma, slope, curvature, square } = pair;
  let [loss, a, b] = [0, 0, 0];
  const visit = (z, x, weight) => {
    const [y, value, bend] = [label(z), sigma(x), slope(x)];
    const error = square ? y - value : y;
    loss += weight * (square ? (error * error) / 2 : -y * value);
    a += weight * error * z * bend;
    b += weight * (error * curvature(x) - (square ? bend * bend : 0));
  };
  plane(pair, rho, s, rule, visit);
  for (const [p, weight] of pair.kinks) b += weight * atKink(pair, p, rho, s, rule);
  return { loss, a, b };
}

// E (y - σ(λ)) δ(λ - p): given λ = p the teacher's argument is N(ρp/Q, s/Q).
function atKink(pair, p, rho, s, rule) {
  const variance = rho * rho + s;
  const [middle, spread] = [(rho * p) / variance, Math.sqrt(Math.max(s, 0) / variance)];
  const level = pair.square ? pair.sigma(p) : 0;
  let total = 0;
  const cuts = spread > 0 ? pair.labelBreaks.map((q) => (q - middle) / spread) : [];
  panels(cuts, rule.angles, (g, weight) => { total += weight * (pair.label(middle + spread * g) - level); });
  return total * density(p / Math.sqrt(variance)) / Math.sqrt(variance);
}

function valuesAt(pair, rho, s, rule) {
  if (pair.closed.landscape) {
    const [loss, a, b] = pair.closed.landscape(rho, Math.max(s, TINY));
    if (Number.isFinite(loss + a + b)) return { loss, a, b, sure: "exact" };
  }
  return { ...integrated(pair, rho, s, rule), sure: "heuristic" };
}

export const slopesAt = (pair, rho, s) => valuesAt(pair, rho, s, FINE);
export const roughly = (pair, rho, s) => valuesAt(pair, rho, s, COARSE);

// E (y - σ(λ))² σ'(λ)², without σ(λ) for the correlation loss.
export function noiseAt(pair, rho, s) {
  let total = 0;
  plane(pair, rho, s, FINE, (z, x, weight) => {
    const pull = (pair.label(z) - (pair.square ? pair.sigma(x) : 0)) * pair.slope(x);
    total += weight * pull * pull;
  });
  return total;
}
