;; Calls itself in tail position without end.
;; $ cipher encrypt tail-call-loop x --timeout 100ms
;; status 1
;; stderr error: tail-call-loop ran longer than 100ms (--timeout)
(component
  (core module $code
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (func $call (export "call") (param i32 i32) (result i32)
      (return_call $call (local.get 1) (local.get 0))))
  (core instance $i (instantiate $code))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
