"""The colours in which pages and figures tell things apart.

They are those of Okabe and Ito, which the colour-blind tell apart, but for their yellow, too light
for lines on white.
"""

OKABE_ITO = {
    "black": "#000000",
    "vermillion": "#D55E00",
    "blue": "#0072B2",
    "green": "#009E73",
    "purple": "#CC79A7",
    "orange": "#E69F00",
    "sky": "#56B4E9",
}
