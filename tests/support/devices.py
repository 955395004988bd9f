"""The device on which those tests run that take one: a CPU, unless a variable names another."""

import os

import torch

DEVICE = torch.device(os.environ.get("LORA_ESCAPE_TEST_DEVICE", "cpu"))
