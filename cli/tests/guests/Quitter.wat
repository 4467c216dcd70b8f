;; Prints a reason to stdout and exits with a failure; to decrypt, with success.
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
  (import "wasi:cli/exit@0.2.0" (instance $exit (export "exit" (func (param "status" (result))))))
  (core module $memory
    (memory (export "memory") 1)
    (data (i32.const 64) "it does not do\n")
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 256)))
  (core instance $m (instantiate $memory))
  (core func $exit (canon lower (func $exit "exit")))
  (core func $stdout (canon lower (func $stdout "get-stdout")))
  (core func $write
    (canon lower (func $streams "[method]output-stream.blocking-write-and-flush") (memory (core memory $m "memory"))))
  (core module $code
    (import "m" "memory" (memory 1))
    (import "host" "stdout" (func $stdout (result i32)))
    (import "host" "write" (func $write (param i32 i32 i32 i32)))
    (import "host" "exit" (func $exit (param i32)))
    (func $quit (param $status i32) (result i32)
      (call $write (call $stdout) (i32.const 64) (i32.const 15) (i32.const 128))
      (call $exit (local.get $status))
      (i32.const 0))
    (func (export "encr") (param i32 i32) (result i32)
      (call $quit (i32.const 1)))
    (func (export "decr") (param i32 i32) (result i32)
      (call $quit (i32.const 0))))
  (core instance $i (instantiate $code
    (with "m" (instance $m))
    (with "host" (instance
      (export "stdout" (func $stdout)) (export "write" (func $write)) (export "exit" (func $exit))))))
  (func $encr (param "input" string) (result string)
    (canon lift (core func $i "encr") (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
  (func $decr (param "input" string) (result string)
    (canon lift (core func $i "decr") (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
  (export "encr" (func $encr))
  (export "decr" (func $decr)))
