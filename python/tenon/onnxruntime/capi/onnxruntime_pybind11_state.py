"""The exceptions of ONNX Runtime, as sessions raise them: from the exception of Tenon's that says the same."""

from .._errors import (Fail, InvalidArgument, InvalidGraph, InvalidProtobuf, NoSuchFile, NotImplemented,  # noqa: A004
                       RuntimeException)

__all__ = ["Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NoSuchFile", "NotImplemented", "RuntimeException"]
