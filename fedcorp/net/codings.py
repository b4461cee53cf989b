"""Undoes gzip and deflate with a limit on what comes out, piece by piece. Pure: no I/O."""

import zlib

from fedcorp.net.failures import BadResponse, ResponseTooLarge

_GZIP = 16 + zlib.MAX_WBITS


def find_decoder(coding: bytes, limit: int) -> "Decoder | None":
    """The decoder for a Content-Encoding value, None for identity; raises BadResponse for any other coding."""
    match coding.strip().lower():
        case b"" | b"identity":
            return None
        case b"gzip" | b"x-gzip":
            return Decoder(_GZIP, limit)
        case b"deflate":
            return Decoder(None, limit)
    raise BadResponse("the response uses a content coding that was not asked for")


class Decoder:
    """Decompresses one body of at most `limit` bytes after decompression."""

    __slots__ = ("_left", "_stream", "_wbits")

    def __init__(self, wbits: int | None, limit: int) -> None:
        self._wbits = wbits
        self._left = limit
        self._stream: zlib._Decompress | None = None

    def feed(self, piece: bytes) -> bytes:
        """The bytes this piece adds; raises ResponseTooLarge beyond the limit, BadResponse when it is not valid."""
        if self._stream is None:
            self._stream = zlib.decompressobj(self._wbits or _deflate_form(piece))
        try:
            # One byte more than allowed is enough to know, and never allocates the whole of a bomb.
            out = self._stream.decompress(piece, self._left + 1)
        except zlib.error as error:
            raise BadResponse("the response body cannot be decompressed") from error
        if len(out) > self._left:
            raise ResponseTooLarge("the response body is too large after decompression")
        if self._stream.unused_data:
            raise BadResponse("the response body continues after its compressed end")
        self._left -= len(out)
        return out

    def check_complete(self) -> None:
        """Raises BadResponse when the compressed stream has not reached its end; an empty body counts as complete."""
        if self._stream is not None and not self._stream.eof:
            raise BadResponse("the compressed response body is cut off")


def _deflate_form(piece: bytes) -> int:
    # RFC 9110, section 8.4.1.2: "deflate" is the zlib format, but some servers send a raw deflate stream. A zlib
    # header's first byte is method 8 with a window of at most 32 KiB (RFC 1950).
    return zlib.MAX_WBITS if piece[0] & 0x8F == 0x08 else -zlib.MAX_WBITS
