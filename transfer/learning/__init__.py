"""Models and their training: transformer, adapters, checkpoints, pre-training, fine-tuning."""
