from typing import Any

# Of buffers: frame is written to; a and b are pictures of four floats a pixel, the last row and column twice.
def blend(frame: Any, video_shape: tuple[int, int], a: Any, to_a: Any, b: Any, to_b: Any, shape: tuple[int, int],
          share: float, /) -> None: ...
