;; Prints 100 MB in many calls, and then the reason for its failure.
;; $ cipher encrypt prints-100-megabytes x
;; status 1
;; stderr error: prints-100-megabytes failed: that was all
;; $ RUST_LOG=info cipher encrypt prints-100-megabytes x 2>&1 | grep -c 'printed [0-9]* bytes before this'
;; status 0
;; stdout 1
(component
  (import "wasi:io/error@0.2.0" (instance $errors (export "error" (type (sub resource)))))
  (alias export $errors "error" (type $error))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (export "output-stream" (type $stream (sub resource)))
    (alias outer 1 $error (type $error))
    (type $failure' (variant (case "last-operation-failed" (own $error)) (case "closed")))
    (export "stream-error" (type $failure (eq $failure')))
    (export "[method]output-stream.blocking-write-and-flush"
      (func (param "self" (borrow $stream)) (param "contents" (list u8)) (result (result (error $failure)))))))
  (alias export $streams "output-stream" (type $stream))
  (import "wasi:cli/stderr@0.2.0" (instance $stderr
    (alias outer 1 $stream (type $stream'))
    (export "output-stream" (type $stream (eq $stream')))
    (export "get-stderr" (func (result (own $stream))))))
  (core module $memory
    (memory (export "memory") 1)
    (data (i32.const 64) "\nthat was all\n")
    (func $start
      (memory.fill (i32.const 1024) (i32.const 120) (i32.const 4096)))
    (start $start)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 256)))
  (core instance $m (instantiate $memory))
  (core func $stderr (canon lower (func $stderr "get-stderr")))
  (core func $write
    (canon lower (func $streams "[method]output-stream.blocking-write-and-flush") (memory (core memory $m "memory"))))
  (core module $code
    (import "m" "memory" (memory 1))
    (import "host" "stderr" (func $stderr (result i32)))
    (import "host" "write" (func $write (param i32 i32 i32 i32)))
    (func (export "call") (param i32 i32) (result i32)
      (local $stream i32) (local $left i32)
      (local.set $stream (call $stderr))
      (local.set $left (i32.const 25600))
      (loop $again
        (call $write (local.get $stream) (i32.const 1024) (i32.const 4096) (i32.const 128))
        (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
      (call $write (local.get $stream) (i32.const 64) (i32.const 14) (i32.const 128))
      (unreachable)))
  (core instance $i (instantiate $code
    (with "m" (instance $m))
    (with "host" (instance (export "stderr" (func $stderr)) (export "write" (func $write))))))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
