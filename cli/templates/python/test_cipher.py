import unittest

import cipher


class KnownAnswers(unittest.TestCase):
    def test_gives_known_answers(self) -> None:
        for plaintext, ciphertext, digits in [
            ("Hello, World!", "Svool, Dliow!", False),
            ("naïve 🦀 2 go", "mzïev 🦀 7 tl", True),
            ("azAZ09", "zaZA09", False),
            ("azAZ09", "zaZA90", True),
            ("", "", True),
        ]:
            with self.subTest(plaintext, digits=digits):
                self.assertEqual(cipher.encrypt(plaintext, with_digits=digits), ciphertext)
                self.assertEqual(cipher.decrypt(ciphertext, with_digits=digits), plaintext)
