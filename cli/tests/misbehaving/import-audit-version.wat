;; Imports another version of the audit log.
;; $ cipher encrypt import-audit-version x
;; status 4
;; stderr error: import-audit-version imports 'saritnike:cipher/audit-log@0.9.0', which cipher does not offer
(component
  (import "saritnike:cipher/audit-log@0.9.0" (instance))
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
