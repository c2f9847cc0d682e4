"""What is wrong between a wallet and opdash, found step by step, with what to do about it."""
