;; Returns a pointer outside of its memory to encrypt, and an unaligned one to decrypt.
;; $ cipher encrypt result-place x
;; status 1
;; stderr error: result-place broke the contract: pointer out of bounds of memory
;; $ cipher decrypt result-place x
;; status 1
;; stderr error: result-place broke the contract: return pointer not aligned
(component
  (core module $code
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (func (export "encr") (param i32 i32) (result i32)
      (i32.const 0xfffc))
    (func (export "decr") (param i32 i32) (result i32)
      (i32.const 1)))
  (core instance $i (instantiate $code))
  (func $encr (param "input" string) (result string)
    (canon lift (core func $i "encr") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (func $decr (param "input" string) (result string)
    (canon lift (core func $i "decr") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $encr))
  (export "decr" (func $decr)))
