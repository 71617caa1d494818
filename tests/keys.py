"""Two signers for tests. Making an RSA key takes a second, so the primes of theirs stand here.

Everybody knows these keys: they sign nothing outside of tests.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import rsa

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

EXPONENT = 3

PRIMES = {
    "alice": """
f109acc9c1b0c5091ea9b58d32635f7f39f223d0f7501a3c3c8e47200fada211b38a9bf5211322c7491dcc736abcb23f
e3023ed35085983ed153c43aa4bb9d0392004e5d72b20e7c662e5e2c6bfe143e1a8815f7c4838046e872050859083adb
915c7f182677fcbc84f0a129b336cf72002930df5544fb124e2676b81e9171dd35fd59ebe3aaf73f9304c651945170d2
11cd67dfffab41558aa178327652548659b528cc6d6889eed1be42c50975beab665025c93c1641ca4fda739bf720f917
-
c09c68a06e6405a8ca96c6af6ff35085012db6adb4b29ff0b77e3cf9a198d8e3d497759263d65203ff476ceecfcd6f9b
198516003142231d3b6bee13ead251c65491bb1e13d65b39d006db442cdff797aa80ef27c72ab79047b73f0035c06173
20c27b5e2f223eb3caecc4b849588603fe70ef765e73ea45b990feb55221a57eb177907a803cb6f9e8313f24c0a2629a
81156af9586c000044f8ca27c0ce4051abf15872ec704ee871d4bd2b38db5fcc1cf86235b2b868ed0df7077e2201ef91
""",
    "bob": """
f7d0e1e0be2b55f2603a8af8a591ee3d1ece5fa4f50d996654d5b325d7983a485dc144a335fb68d584af6f64dd883324
bc6b8d5e254b7f01573062161e05c946ac30f6892d959573e446076ffb5c1e0d7baf068dea15d0a5bd9e80fb1b5bf17e
a2eae9267c431f134ea805299fc9d2ad902f9f96a5cff3e1730df3a93f9d6582f7f4e8baab45e926ef1f11d3252ecf1c
176a59a852428b2158ed5d9f471fd654c0d24f9c0fa5999131a9e079649322a0167ee08633ea9177b93913639a1042f7
-
e7308283dc9869971e377530bfb4d8edc461bed3c5716cb0f1146cef49c3a54aef9fdc8ce986eb48a9cb851c1a51217b
871b7d26df38161918dfc4bd9b74a75fe0b61e0612e07678a14a19201629f821e55e817f76b76d79f327eaaf6eb9afd5
f57cee6f89aa5237cbf2fa0f2c82cfae9fdf851e5a9b190144ba152fcd796df85c4f5c9edd02d146c66bf81da85097ce
4ffd2ea06da6bd48aa480a9db7c8737a68b6b451a067288f05f8e19523c6c7e90eb16d22ecdeda17ee6ba36ef185ea7b
""",
}


@cache
def key(name: str) -> RSAPrivateKey:
    """Return the key of "alice" or "bob"."""
    p, q = (int("".join(prime.split()), 16) for prime in PRIMES[name].split("-"))
    private = pow(EXPONENT, -1, (p - 1) * (q - 1))
    return rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=private,
        dmp1=private % (p - 1),
        dmq1=private % (q - 1),
        iqmp=rsa.rsa_crt_iqmp(p, q),
        public_numbers=rsa.RSAPublicNumbers(EXPONENT, p * q),
    ).private_key()
