"""What is here only because PyTorch has the name."""
