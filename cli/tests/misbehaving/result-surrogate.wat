;; Returns half of a surrogate pair, encoded in UTF-8.
;; $ cipher encrypt result-surrogate x
;; status 1
;; stderr error: result-surrogate broke the contract: invalid utf-8 sequence of 1 bytes from index 1
(component
  (core module $code
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (data (i32.const 16) "\ed\a0\80")
    (func (export "call") (param i32 i32) (result i32)
      (i32.store (i32.const 0) (i32.const 16))
      (i32.store (i32.const 4) (i32.const 3))
      (i32.const 0)))
  (core instance $i (instantiate $code))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
