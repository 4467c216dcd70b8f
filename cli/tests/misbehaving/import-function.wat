;; Imports a function, a core module, and an instance that belong to no package.
;; $ cipher encrypt import-function x
;; status 4
;; stderr error: import-function imports 'system', 'code', 'plain', which cipher does not offer
(component
  (import "system" (func (param "command" string)))
  (import "code" (core module))
  (import "plain" (instance))
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
