"""The page in every export that says how it is checked without Lagebild."""

from __future__ import annotations

from .manifest import MANIFEST_FILE, PUBLIC_KEY_FILE, SIGNATURE_FILE
from .signature import PublicKey, grouped

HOW_TO_CHECK_FILE = "pruefen-how-to-check.txt"
SUMS_FILE = "sha256sums.txt"

COMMANDS = (
    f"openssl pkey -pubin -in {PUBLIC_KEY_FILE} -outform DER | sha256sum",
    f"openssl pkeyutl -verify -rawin -pubin -inkey {PUBLIC_KEY_FILE} -in {MANIFEST_FILE} "
    f"-sigfile {SIGNATURE_FILE}",
    f'grep -c "$(sha256sum < {SUMS_FILE} | cut -c1-64)" {MANIFEST_FILE}',
    f"sha256sum --check --strict {SUMS_FILE}",
    "find . -type f | sort",
)
"""Given in the folder that the ZIP was unpacked to; docs/exports.md says what each of them shows."""

_TEXT = """\
EXPORT AUS LAGEBILD: SO WIRD ER GEPRÜFT  (English below)

Der Export ist mit diesem Schlüssel unterschrieben (Ed25519). SHA-256 des öffentlichen Schlüssels (DER):

    {fingerprint}

Ob das der Schlüssel der Dienststelle ist, sagt diese Datei nicht: Wer den Export fälscht, legt seinen eigenen
Schlüssel bei. Den Fingerabdruck deshalb auf zweitem Weg erfragen (Telefon, Akte) und vergleichen.

Mit Lagebild:      lagebild verify export.zip --key "FINGERABDRUCK"
Ohne, im entpackten Ordner, mit OpenSSL (ab 3.0) und GNU coreutils:

    1  {0}
       zeigt den Fingerabdruck
    2  {1}
       "Signature Verified Successfully": {manifest} ist, wie es unterschrieben wurde
    3  {2}
       "1": {sums} ist die Datei, die darin steht
    4  {3}
       jede Datei "OK"
    5  {4}
       zeigt, was da ist. Was weder in {sums} steht noch {sums},
       {manifest}, {signature} oder {key} heißt, gehört nicht zum Export.

Bewiesen wird: Seit der Unterschrift wurde nichts verändert, hinzugefügt oder entfernt. Nicht bewiesen wird,
wann unterschrieben wurde; die Zeiten sind die der Uhr des Servers und der Kameras.


AN EXPORT FROM LAGEBILD: HOW TO CHECK IT

It is signed with the key whose fingerprint stands above (SHA-256 of the public key in DER). This file cannot
say that the key is the brigade's: whoever forges an export encloses a key of his own. So ask for the
fingerprint by another way (telephone, files) and compare. Then give the five commands above in the unpacked
folder: 1 shows the fingerprint; 2 says that {manifest} is as it was signed; 3 prints 1 if {sums} is the one
it names; 4 says OK for each file; 5 lists what is there: whatever is neither in {sums} nor one of
{sums}, {manifest}, {signature} and {key} is not part of the export.

It proves that nothing was changed, added or removed since it was signed. It does not prove when that was.
"""


def how_to_check(key: PublicKey) -> bytes:
    return _TEXT.format(
        *COMMANDS,
        fingerprint=grouped(key.fingerprint),
        manifest=MANIFEST_FILE,
        signature=SIGNATURE_FILE,
        key=PUBLIC_KEY_FILE,
        sums=SUMS_FILE,
    ).encode()
