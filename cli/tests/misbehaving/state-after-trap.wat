;; Returns the message of the previous call, and traps on an 'x'. No state survives the trap.
;; $ printf 'a\nb\nx\nc\nd\n' | cipher encrypt state-after-trap --lines -j1
;; status 3
;; stdout -
;; stdout a
;; stdout -
;; stdout c
;; stderr error: record 3: state-after-trap trapped: it reached code marked as unreachable
;; stderr error: 1 of 5 records failed
;; $ for m in a x c; do echo '{"message":"'$m'","algorithm":"state-after-trap"}'; done | cipher batch -j1
;; status 3
;; stdout {"result":"-"}
;; stdout {"line":2,"kind":"[..]","error":"state-after-trap trapped: it reached code marked as unreachable"}
;; stdout {"result":"-"}
;; stderr error: 1 of 3 records failed
(component
  (core module $code
    (memory (export "memory") 1)
    (data (i32.const 8) "--")
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (func (export "call") (param i32 i32) (result i32)
      (i32.store8 (i32.const 8) (i32.load8_u (i32.const 9)))
      (i32.store8 (i32.const 9) (i32.load8_u (i32.const 16)))
      (if (i32.eq (i32.load8_u (i32.const 16)) (i32.const 120))
        (then (unreachable)))
      (i32.store (i32.const 0) (i32.const 8))
      (i32.store (i32.const 4) (i32.const 1))
      (i32.const 0)))
  (core instance $i (instantiate $code))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
