"""`python -m layer` in a checkout: the same as `handlerkit layer`. The builder is `lambda_emulator.layer`."""
