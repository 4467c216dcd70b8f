;; Imports an exit function that takes a string.
;; $ cipher encrypt import-wasi-ill-typed x
;; status 4
;; stderr error: import-wasi-ill-typed does not satisfy the contract: expected `result` found `string`
(component
  (import "wasi:cli/exit@0.2.0" (instance (export "exit" (func (param "why" string)))))
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
