;; Returns the message of the previous call, which it keeps in its memory.
;; $ printf 'a\nb\nc\n' | cipher encrypt state-in-memory --lines -j1
;; status 0
;; stdout -
;; stdout a
;; stdout b
;; $ printf 'a\nb\nc\n' | cipher encrypt state-in-memory --lines -j1 --isolate
;; status 0
;; stdout -
;; stdout -
;; stdout -
(component
  (core module $code
    (memory (export "memory") 1)
    (data (i32.const 8) "--")
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (func (export "call") (param i32 i32) (result i32)
      (i32.store8 (i32.const 8) (i32.load8_u (i32.const 9)))
      (i32.store8 (i32.const 9) (i32.load8_u (i32.const 16)))
      (i32.store (i32.const 0) (i32.const 8))
      (i32.store (i32.const 4) (i32.const 1))
      (i32.const 0)))
  (core instance $i (instantiate $code))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
