def decompress(encoding: str, data: bytes, limit: int) -> bytes:
    import zlib
    return zlib.decompress(data, wbits=47)
