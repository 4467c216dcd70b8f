;; Exits with status 0 in its start function.
;; $ cipher encrypt exit-in-start x
;; status 1
;; stderr error: exit-in-start exited with status 0 instead of returning a result
(component
  (import "wasi:cli/exit@0.2.0" (instance $exit (export "exit" (func (param "status" (result))))))
  (core func $exit (canon lower (func $exit "exit")))
  (core module $code
    (import "host" "exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (func (export "call") (param i32 i32) (result i32)
      (i32.const 0))
    (func $start
      (call $exit (i32.const 0)))
    (start $start))
  (core instance $i (instantiate $code (with "host" (instance (export "exit" (func $exit))))))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
