#!/usr/bin/env python3
"""Stands for a hardware module: keeps a key of its own and answers `pubkey` and `sign` as the contract of --signer says.

Ed25519 as RFC 8032 writes it, in affine coordinates with inversions: for tests, not for speed. Some messages make it misbehave.
"""

import base64
import hashlib
import sys
import time

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
SEED = bytes(range(32))


def add(a, b):
    x = D * a[0] * b[0] * a[1] * b[1]
    return (
        (a[0] * b[1] + b[0] * a[1]) * pow(1 + x, P - 2, P) % P,
        (a[1] * b[1] + a[0] * b[0]) * pow(1 - x, P - 2, P) % P,
    )


def times(n, point):
    total = (0, 1)
    while n:
        if n & 1:
            total = add(total, point)
        point, n = add(point, point), n >> 1
    return total


def root(y):
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    return P - x if x & 1 else x


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = (root(BASE_Y), BASE_Y)


def packed(point):
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def number(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


def base58(data):
    n, text = int.from_bytes(data, "big"), ""
    while n:
        n, digit = divmod(n, 58)
        text = ALPHABET[digit] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def main():
    digest = hashlib.sha512(SEED).digest()
    secret = int.from_bytes(digest[:32], "little") & (1 << 254) - 8 | 1 << 254
    public = packed(times(secret, BASE))
    if sys.argv[1] == "pubkey":
        print(base58(public))
        return
    message = base64.b64decode(sys.stdin.read())
    kind = message[:8]
    if kind == b"hang....":
        time.sleep(60)
    if kind == b"fail....":
        sys.exit(3)
    if kind == b"garbage.":
        print("not a signature")
        return
    if kind == b"another.":
        message += b"!"
    nonce = number(digest[32:], message) % L
    commitment = packed(times(nonce, BASE))
    challenge = number(commitment, public, message) % L
    print(base58(commitment + ((nonce + challenge * secret) % L).to_bytes(32, "little")))


main()
