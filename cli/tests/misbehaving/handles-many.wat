;; Creates resources of its own without end.
;; $ cipher encrypt handles-many x
;; status 1
;; stderr error: handles-many held more than 100000 resources at once
(component
  (type $thing (resource (rep i32)))
  (core func $new (canon resource.new $thing))
  (core module $code
    (import "host" "new" (func $new (param i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 16))
    (func (export "call") (param i32 i32) (result i32)
      (loop $again
        (drop (call $new (i32.const 0)))
        (br $again))
      (i32.const 0)))
  (core instance $i (instantiate $code
    (with "host" (instance (export "new" (func $new))))))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
