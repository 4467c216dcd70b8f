;; Exports an empty streaming interface, so it is called without chunks.
;; $ cipher encrypt export-streaming-ill-typed x
;; status 0
;; stdout
;; $ head -c 2000000 /dev/zero | cipher encrypt export-streaming-ill-typed
;; status 0
(component
  (core module $code
    (memory (export "memory") 100)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (func (export "call") (param i32 i32) (result i32)
      (i32.const 0)))
  (core instance $i (instantiate $code))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call))
  (instance $nothing)
  (export "saritnike:cipher/streaming@0.1.0" (instance $nothing)))
