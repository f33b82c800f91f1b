"""`python -m layer build | verify`, as `handlerkit layer` has them."""

from lambda_emulator.layer.commands import layer_app

if __name__ == "__main__":
    layer_app()(prog_name="python -m layer")
