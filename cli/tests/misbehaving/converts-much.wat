;; Passes 240 MiB of UTF-16 from one of its components to another, which wasmtime converts to UTF-8 in one step.
;; $ cipher encrypt converts-much x --timeout 50ms
;; status 1
;; stderr error: converts-much ran longer than 50ms (--timeout)
(component
  (component $taker
    (core module $code
      (memory (export "memory") 8000)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32)
        (i32.const 64))
      (func (export "take") (param i32 i32)))
    (core instance $i (instantiate $code))
    (func $take (param "text" string)
      (canon lift (core func $i "take") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
    (export "take" (func $take)))
  (component $giver
    (import "take" (func $take (param "text" string)))
    (core module $memory
      (memory (export "memory") 8000)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32)
        (i32.const 16)))
    (core instance $m (instantiate $memory))
    (core func $lowered (canon lower (func $take)
      (memory (core memory $m "memory")) (realloc (core func $m "realloc")) string-encoding=utf16))
    (core module $code
      (import "m" "memory" (memory 1))
      (import "m" "take" (func $take (param i32 i32)))
      (func (export "call") (param i32 i32) (result i32)
        (call $take (i32.const 64) (i32.const 0xf000000))
        (i32.const 0)))
    (core instance $i (instantiate $code (with "m" (instance
      (export "memory" (memory $m "memory"))
      (export "take" (func $lowered))))))
    (func $call (param "input" string) (result string)
      (canon lift (core func $i "call") (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
    (export "encr" (func $call))
    (export "decr" (func $call)))
  (instance $t (instantiate $taker))
  (instance $g (instantiate $giver (with "take" (func $t "take"))))
  (export "encr" (func $g "encr"))
  (export "decr" (func $g "decr")))
