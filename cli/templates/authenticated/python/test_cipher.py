import base64
import unittest

import cipher

_KEY = bytes(range(32))


class Cipher(unittest.TestCase):
    def test_decrypts_what_it_encrypted(self) -> None:
        for text in ["", "Hello, World!", "naïve 🦀\0\r\n", "x" * 1000]:
            with self.subTest(text[:10]):
                self.assertEqual(cipher.decrypt(cipher.encrypt(text, _KEY), _KEY), text)

    def test_never_repeats_a_result(self) -> None:
        self.assertNotEqual(cipher.encrypt("text", _KEY), cipher.encrypt("text", _KEY))

    def test_refuses_altered_text(self) -> None:
        secret = cipher.encrypt("attack at dawn", _KEY)
        for at, character in enumerate(secret):
            altered = secret[:at] + ("B" if character == "A" else "A") + secret[at + 1 :]
            for text in [altered, secret[:at]]:
                with self.assertRaises(cipher.AlteredMessageError):
                    cipher.decrypt(text, _KEY)

    def test_refuses_other_keys(self) -> None:
        with self.assertRaises(cipher.AlteredMessageError):
            cipher.decrypt(cipher.encrypt("text", _KEY), bytes(32))

    def test_parses_keys(self) -> None:
        self.assertEqual(cipher.parse_key(base64.b64encode(_KEY).decode()), _KEY)
        for text in ["", "too short", "AAAA", base64.b64encode(bytes(33)).decode()]:
            with self.assertRaises(cipher.KeyFormatError):
                cipher.parse_key(text)
