;; Loops in its start function, so no exported function is ever called.
;; $ cipher encrypt loop-in-start x --timeout 200ms
;; status 1
;; stderr error: loop-in-start ran longer than 200ms (--timeout)
;; $ printf 'a\nb\n' | cipher encrypt loop-in-start --lines -j1 --isolate --timeout 200ms
;; status 3
;; stderr error: record 1: loop-in-start ran longer than 200ms (--timeout)
;; stderr error: record 2: loop-in-start ran longer than 200ms (--timeout)
;; stderr error: 2 of 2 records failed
(component
  (core module $code
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (func (export "call") (param i32 i32) (result i32)
      (i32.const 0))
    (func $start
      (loop $forever (br $forever)))
    (start $start))
  (core instance $i (instantiate $code))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
