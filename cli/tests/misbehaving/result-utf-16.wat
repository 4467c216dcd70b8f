;; Uses UTF-16: appends an emoji to encrypt, and half of one to decrypt.
;; $ cipher encrypt result-utf-16 'é𝄞'
;; status 0
;; stdout é𝄞🎉
;; $ cipher decrypt result-utf-16 x
;; status 1
;; stderr error: result-utf-16 broke the contract: unpaired surrogate found: d83c
;; $ printf 'a\nb\n' | cipher encrypt result-utf-16 --lines
;; status 0
;; stdout a🎉
;; stdout b🎉
(component
  (core module $code
    (memory (export "memory") 1)
    ;; The argument is placed at 1024.
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 1024))
    (func $say (param $text i32) (param $units i32) (param $more i32) (result i32)
      (local $end i32)
      (local.set $end (i32.add (local.get $text) (i32.shl (local.get $units) (i32.const 1))))
      (i32.store16 (local.get $end) (i32.const 0xd83c))
      (i32.store16 offset=2 (local.get $end) (i32.const 0xdf89))
      (i32.store (i32.const 0) (local.get $text))
      (i32.store (i32.const 4) (i32.add (local.get $units) (local.get $more)))
      (i32.const 0))
    (func (export "encr") (param $text i32) (param $units i32) (result i32)
      (call $say (local.get $text) (local.get $units) (i32.const 2)))
    (func (export "decr") (param $text i32) (param $units i32) (result i32)
      (call $say (local.get $text) (local.get $units) (i32.const 1))))
  (core instance $i (instantiate $code))
  (func $encr (param "input" string) (result string)
    (canon lift (core func $i "encr") string-encoding=utf16
      (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (func $decr (param "input" string) (result string)
    (canon lift (core func $i "decr") string-encoding=utf16
      (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $encr))
  (export "decr" (func $decr)))
