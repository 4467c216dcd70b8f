;; Fails with a reason that contains sequences that color, retitle, reorder, and overwrite what a terminal shows.
;; $ cipher encrypt escapes-printed x
;; status 1
;; stderr error: escapes-printed failed: \u{1b}[31mred\u{1b}]0;title\u{7} \u{9b}31m \u{202e} over \u{2028} line \0 \u{7f} \u{8} \r end
;; $ RUST_LOG=info cipher encrypt escapes-printed x 2>&1 >/dev/null | grep printed:
;; status 0
;; stdout [INFO  cipher::sandbox::error] escapes-printed printed: \u{1b}[31mred\u{1b}]0;title\u{7} \u{9b}31m \u{202e} over \u{2028} line \0 \u{7f} \u{8} \r end
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
    (data (i32.const 64) "\1b[31mred\1b]0;title\07 \c2\9b31m \e2\80\ae over \e2\80\a8 line \00 \7f \08 \0d end\n")
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
      (call $write (call $stderr) (i32.const 64) (i32.const 55) (i32.const 128))
      (unreachable)))
  (core instance $i (instantiate $code
    (with "m" (instance $m))
    (with "host" (instance (export "stderr" (func $stderr)) (export "write" (func $write))))))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
