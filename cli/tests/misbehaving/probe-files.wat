;; Returns the number of directories in which it may open files.
;; $ cipher encrypt probe-files x
;; status 0
;; stdout 0
(component
  (import "wasi:filesystem/types@0.2.0" (instance $types
    (export "descriptor" (type (sub resource)))))
  (alias export $types "descriptor" (type $descriptor))
  (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
    (alias outer 1 $descriptor (type $descriptor'))
    (export "descriptor" (type $descriptor'' (eq $descriptor')))
    (export "get-directories" (func (result (list (tuple (own $descriptor'') string)))))))
  (core module $memory
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (i32.const 256)))
  (core instance $m (instantiate $memory))
  (core func $directories (canon lower (func $preopens "get-directories")
    (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
  (core module $code
    (import "m" "memory" (memory 1))
    (import "host" "directories" (func $directories (param i32)))
    (func (export "call") (param i32 i32) (result i32)
      (call $directories (i32.const 64))
      (i32.store8 (i32.const 16) (i32.add (i32.const 48) (i32.load (i32.const 68))))
      (i32.store (i32.const 0) (i32.const 16))
      (i32.store (i32.const 4) (i32.const 1))
      (i32.const 0)))
  (core instance $i (instantiate $code
    (with "m" (instance $m))
    (with "host" (instance (export "directories" (func $directories))))))
  (func $call (param "input" string) (result string)
    (canon lift (core func $i "call") (memory (core memory $m "memory")) (realloc (core func $m "realloc"))))
  (export "encr" (func $call))
  (export "decr" (func $call)))
