;; Prints to stdout and returns an empty text; to decrypt, it prints and traps.
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
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer 1 $stream (type $stream'))
    (export "output-stream" (type $stream (eq $stream')))
    (export "get-stdout" (func (result (own $stream))))))
  (core module $memory
    (memory (export "memory") 1)
    (data (i32.const 64) "this is \1b[31mno result\n")
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 256)))
  (core instance $m (instantiate $memory))
  (core func $stdout (canon lower (func $stdout "get-stdout")))
  (core func $write
    (canon lower (func $streams "[method]output-stream.blocking-write-and-flush") (memory (core memory $m "memory"))))
  (core module $code
    (import "m" "memory" (memory 1))
    (import "host" "stdout" (func $stdout (result i32)))
    (import "host" "write" (func $write (param i32 i32 i32 i32)))
    (func $encr (export "encr") (param i32 i32) (result i32)
      (call $write (call $stdout) (i32.const 64) (i32.const 23) (i32.const 128))
      (i32.const 0))
    (func (export "decr") (param i32 i32) (result i32)
      (drop (call $encr (i32.const 0) (i32.const 0)))
      (unreachable)))
  (core instance $i (instantiate $code
    (with "m" (instance $m))
    (with "host" (instance (export "stdout" (func $stdout)) (export "write" (func $write))))))
  (func $encr (param "input" string) (result string)
    (canon lift (core func $i "encr") (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
  (func $decr (param "input" string) (result string)
    (canon lift (core func $i "decr") (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
  (export "encr" (func $encr))
  (export "decr" (func $decr)))
