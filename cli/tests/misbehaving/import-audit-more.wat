;; Imports a function that the audit log does not have.
;; $ cipher encrypt import-audit-more x
;; status 4
;; stderr error: import-audit-more does not satisfy the contract: function implementation is missing
(component
  (import "saritnike:cipher/audit-log@0.1.0" (instance
    (export "erase" (func))))
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
