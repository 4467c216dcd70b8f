;; Imports WASI 0.3, which is not offered.
;; $ cipher encrypt import-wasi-preview3 x
;; status 4
;; stderr error: import-wasi-preview3 imports 'wasi:cli/environment@0.3.0', which cipher does not offer
(component
  (import "wasi:cli/environment@0.3.0" (instance))
  (core module $code
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (func (export "call") (param i32 i32) (result i32)
      (i32.const 0)))
  (core instance $i (instantiate $code))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
