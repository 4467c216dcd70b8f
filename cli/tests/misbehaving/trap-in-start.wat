;; Traps in its start function.
;; $ cipher encrypt trap-in-start x
;; status 1
;; stderr error: trap-in-start trapped: it reached code marked as unreachable
;; $ printf 'a\nb\n' | cipher encrypt trap-in-start --lines -j1
;; status 3
;; stderr error: record 1: trap-in-start trapped: it reached code marked as unreachable
;; stderr error: record 2: trap-in-start trapped: it reached code marked as unreachable
;; stderr error: 2 of 2 records failed
(component
  (core module $code
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (func (export "call") (param i32 i32) (result i32)
      (i32.const 0))
    (func $start
      (unreachable))
    (start $start))
  (core instance $i (instantiate $code))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
