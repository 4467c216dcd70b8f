;; Passes 250,000 records to a denied function, which takes values of any type (RUSTSEC-2026-0316).
;; $ cipher encrypt denied-with-records x
;; status 1
;; stderr error: denied-with-records passed more than 4MiB to the host in one call
(component
  (import "wasi:sockets/tcp-create-socket@0.2.0" (instance $sockets
    (type $tiny (record (field "first-long-name-of-a-field" u8) (field "second-long-name-of-a-field" u8)))
    (export "tiny" (type $records (eq $tiny)))
    (export "create-tcp-socket" (func (param "values" (list $records)) (result u32)))))
  (core module $memory
    (memory (export "memory") 10)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16)))
  (core instance $m (instantiate $memory))
  (core func $denied (canon lower (func $sockets "create-tcp-socket")
    (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
  (core module $code
    (import "m" "denied" (func $denied (param i32 i32) (result i32)))
    (func (export "call") (param i32 i32) (result i32)
      (call $denied (i32.const 0) (i32.const 250000))))
  (core instance $i (instantiate $code (with "m" (instance (export "denied" (func $denied))))))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
