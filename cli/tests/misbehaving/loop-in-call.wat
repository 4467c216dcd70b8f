;; Computes without end.
;; $ cipher encrypt loop-in-call x --timeout 200ms
;; status 1
;; stderr error: loop-in-call ran longer than 200ms (--timeout)
;; $ printf 'a\nb\n' | cipher encrypt loop-in-call --lines -j2 --timeout 200ms
;; status 3
;; stderr error: record 1: loop-in-call ran longer than 200ms (--timeout)
;; stderr error: record 2: loop-in-call ran longer than 200ms (--timeout)
;; stderr error: 2 of 2 records failed
;; $ cipher check loop-in-call --timeout 50ms | grep 'encrypt: '
;; status 0
;; stdout FAIL  exactly one audit event per call: encrypt: loop-in-call ran longer than 50ms (--timeout)
;; stdout FAIL  audit detail counts characters: encrypt: loop-in-call ran longer than 50ms (--timeout)
;; stderr error: loop-in-call violates the contract: [..] cases failed
;; $ cipher encrypt loop-in-call x --timeout 2s 2>error & sleep 0.5; kill -STOP $!; sleep 2; kill -CONT $!; sleep 0.5; cat error; echo still runs; wait $!
;; status 1
;; stdout still runs
(component
  (core module $code
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (func (export "call") (param i32 i32) (result i32)
      (loop $forever (br $forever))
      (unreachable)))
  (core instance $i (instantiate $code))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
