"""Changes to bytes that know nothing but that numbers in them are little-endian."""

from __future__ import annotations

from random import Random

_EDGES = [
    0, 1, 2, 3, 7, 8, 9, 63, 64, 65, 127, 128, 255, 256, 1023, 1024, 1025, 4095, 4096, 32767, 32768, 65535, 65536,
    (1 << 24) - 1, 1 << 24, (1 << 24) + 1, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, (1 << 53) - 1, 1 << 53,
    (1 << 63) - 1, 1 << 63, (1 << 64) - 4096, (1 << 64) - 1,
]  # fmt: skip


def mutate_bytes(data: bytes, random: Random) -> bytes:
    """`data` with one change, which keeps its length three times out of four."""
    if not data:
        return random.randbytes(random.randrange(1, 16))
    change = random.choice(_KEEPING_LENGTH if random.random() < 0.75 else _CHANGING_LENGTH)
    return change(data, random)


def mutate_number(value: int, random: Random, n_bytes: int = 8) -> int:
    """Another number of `n_bytes` bytes: near, at an edge, one bit away, or any."""
    mask = (1 << (8 * n_bytes)) - 1
    kind = random.randrange(4)
    if kind == 0:
        return (value + random.choice([-64, -8, -2, -1, 1, 2, 8, 64])) & mask
    if kind == 1:
        return random.choice(_EDGES) & mask
    if kind == 2:
        return value ^ (1 << random.randrange(8 * n_bytes))
    return random.getrandbits(8 * n_bytes)


def _flip_bit(data: bytes, random: Random) -> bytes:
    place = random.randrange(len(data))
    return data[:place] + bytes([data[place] ^ (1 << random.randrange(8))]) + data[place + 1 :]


def _set_number(data: bytes, random: Random) -> bytes:
    width = random.choice([1, 2, 4, 8])
    if len(data) < width:
        return _flip_bit(data, random)
    place = random.randrange(len(data) - width + 1)
    # numbers mostly stand at multiples of their size
    place -= place % width if random.random() < 0.8 else 0
    value = int.from_bytes(data[place : place + width], "little")
    return data[:place] + mutate_number(value, random, width).to_bytes(width, "little") + data[place + width :]


def _copy_over(data: bytes, random: Random) -> bytes:
    length = random.randrange(1, min(len(data), 64) + 1)
    source, target = (random.randrange(len(data) - length + 1) for _ in range(2))
    return data[:target] + data[source : source + length] + data[target + length :]


def _fill(data: bytes, random: Random) -> bytes:
    length = random.randrange(1, min(len(data), 64) + 1)
    place = random.randrange(len(data) - length + 1)
    fill = bytes(length) if random.random() < 0.5 else random.choice([b"\xff" * length, random.randbytes(length)])
    return data[:place] + fill + data[place + length :]


def _truncate(data: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data))]


def _delete(data: bytes, random: Random) -> bytes:
    length = random.choice([1, 2, 4, 8, 16, 64])
    place = random.randrange(len(data))
    return data[:place] + data[place + length :]


def _insert(data: bytes, random: Random) -> bytes:
    length = random.choice([1, 2, 4, 8, 16, 64])
    place = random.randrange(len(data) + 1)
    new = random.choice([bytes(length), random.randbytes(length), data[place : place + length]])
    return data[:place] + new + data[place:]


_KEEPING_LENGTH = (_flip_bit, _set_number, _set_number, _copy_over, _fill)
_CHANGING_LENGTH = (_truncate, _delete, _insert)
