;; Returns a result, and then loops in its post-return function. The result is discarded.
;; $ cipher encrypt loop-in-post-return x --timeout 200ms
;; status 1
;; stderr error: loop-in-post-return ran longer than 200ms (--timeout)
;; $ printf 'a\n' | cipher encrypt loop-in-post-return --lines --timeout 200ms
;; status 3
;; stderr error: record 1: loop-in-post-return ran longer than 200ms (--timeout)
;; stderr error: 1 of 1 records failed
(component
  (core module $code
    (memory (export "memory") 1)
    (data (i32.const 0) "\08\00\00\00\06\00\00\00result")
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (func (export "call") (param i32 i32) (result i32)
      (i32.const 0))
    (func (export "returned") (param i32)
      (loop $forever (br $forever))))
  (core instance $i (instantiate $code))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))
      (post-return (core func $i "returned"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
