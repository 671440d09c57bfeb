from typing import Any, Optional, Union

def compile(path: str, model: Optional[bytes], name: str, target: str, accuracy: str, devices: list[str],
            threads: int, aliases: list[tuple[str, str]], sizes: list[tuple[str, int]], runtime_library: str, output: int, cache: str, cache_limit: int,
            allow_external_links: bool) -> list[str]: ...
def reference(path: str, model: Optional[bytes], name: str, sizes: list[tuple[str, int]], allow_external_links: bool) -> ReferenceModel: ...

class ReferenceModel:
    inputs: list[tuple[str, int, list[int], list[str], int, Optional[tuple[Any, ...]]]]
    outputs: list[tuple[str, int, list[int], list[str], int, Optional[tuple[Any, ...]]]]
    warnings: list[str]
    def run(self, feeds: dict[str, Any]) -> Union[list[Any], str]: ...
