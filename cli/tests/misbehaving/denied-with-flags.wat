;; Passes flags that do not exist to a denied function, which takes values of any type (RUSTSEC-2026-0085).
;; $ cipher encrypt denied-with-flags x
;; status 1
;; stderr error: denied-with-flags [..]
(component
  (import "wasi:sockets/tcp-create-socket@0.2.0" (instance $sockets
    (type $seven (flags "a" "b" "c" "d" "e" "f" "g"))
    (export "flags" (type $flags (eq $seven)))
    (export "create-tcp-socket" (func (param "value" $flags) (result u32)))))
  (core module $memory
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16)))
  (core instance $m (instantiate $memory))
  (core func $denied (canon lower (func $sockets "create-tcp-socket")
    (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
  (core module $code
    (import "m" "denied" (func $denied (param i32) (result i32)))
    (func (export "call") (param i32 i32) (result i32)
      (call $denied (i32.const -1))))
  (core instance $i (instantiate $code (with "m" (instance (export "denied" (func $denied))))))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
