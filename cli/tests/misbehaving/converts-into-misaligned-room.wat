;; Provides room at an odd address for the conversion of a text to UTF-16 (RUSTSEC-2026-0092).
;; $ cipher encrypt converts-into-misaligned-room x
;; status 1
;; stderr error: converts-into-misaligned-room trapped: unaligned pointer
(component
  (component $taker
    (core module $code
      (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32)
        (i32.const 65))
      (func (export "take") (param i32 i32)))
    (core instance $i (instantiate $code))
    (func $take (param "text" string)
      (canon lift (core func $i "take")
        (memory (core memory $i "memory")) (realloc (core func $i "realloc")) string-encoding=utf16))
    (export "take" (func $take)))
  (component $giver
    (import "take" (func $take (param "text" string)))
    (core module $memory
      (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32)
        (i32.const 16)))
    (core instance $m (instantiate $memory))
    (core func $lowered (canon lower (func $take)
      (memory (core memory $m "memory")) (realloc (core func $m "realloc")) string-encoding=utf8))
    (core module $code
      (import "m" "take" (func $take (param i32 i32)))
      (func (export "call") (param i32 i32) (result i32)
        (call $take (i32.const 64) (i32.const 10))
        (i32.const 0)))
    (core instance $i (instantiate $code (with "m" (instance (export "take" (func $lowered))))))
    (func $call (param "input" string) (result string)
      (canon lift (core func $i "call") (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
    (export "encr" (func $call))
    (export "decr" (func $call)))
  (instance $t (instantiate $taker))
  (instance $g (instantiate $giver (with "take" (func $t "take"))))
  (export "encr" (func $g "encr"))
  (export "decr" (func $g "decr")))
