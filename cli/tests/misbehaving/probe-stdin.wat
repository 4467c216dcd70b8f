;; Reads stdin, and returns the outcome as digits: the stream is closed (case 1 of an error, 1).
;; $ printf 'secret\n' | cipher encrypt probe-stdin x
;; status 0
;; stdout 11
;; $ printf 'a\nb\n' | cipher encrypt probe-stdin --lines
;; status 0
;; stdout 11
;; stdout 11
(component
  (import "wasi:io/error@0.2.0" (instance $errors (export "error" (type (sub resource)))))
  (alias export $errors "error" (type $error))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (export "input-stream" (type $stream (sub resource)))
    (alias outer 1 $error (type $error))
    (type $failure' (variant (case "last-operation-failed" (own $error)) (case "closed")))
    (export "stream-error" (type $failure (eq $failure')))
    (export "[method]input-stream.blocking-read"
      (func (param "self" (borrow $stream)) (param "len" u64) (result (result (list u8) (error $failure)))))))
  (alias export $streams "input-stream" (type $stream))
  (import "wasi:cli/stdin@0.2.0" (instance $stdin
    (alias outer 1 $stream (type $stream'))
    (export "input-stream" (type $stream (eq $stream')))
    (export "get-stdin" (func (result (own $stream))))))
  (core module $memory
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 256)))
  (core instance $m (instantiate $memory))
  (core func $stdin (canon lower (func $stdin "get-stdin")))
  (core func $read (canon lower (func $streams "[method]input-stream.blocking-read")
    (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
  (core module $code
    (import "m" "memory" (memory 1))
    (import "host" "stdin" (func $stdin (result i32)))
    (import "host" "read" (func $read (param i32 i64 i32)))
    (func (export "call") (param i32 i32) (result i32)
      (call $read (call $stdin) (i64.const 100) (i32.const 64))
      (i32.store8 (i32.const 16) (i32.add (i32.const 48) (i32.load8_u (i32.const 64))))
      (i32.store8 (i32.const 17) (i32.add (i32.const 48) (i32.load8_u (i32.const 68))))
      (i32.store (i32.const 0) (i32.const 16))
      (i32.store (i32.const 4) (i32.const 2))
      (i32.const 0)))
  (core instance $i (instantiate $code
    (with "m" (instance $m))
    (with "host" (instance (export "stdin" (func $stdin)) (export "read" (func $read))))))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
