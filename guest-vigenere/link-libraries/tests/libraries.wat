;; What componentize-py and wit-component make, in small: "main" with the memory and table, two libraries that call each
;; other, an import of the component that comes through shim and fixup, and a module for the table's elements.
(component
  (import "log" (func $log (param "text" string)))

  (core module $main
    (memory (export "memory") 1)
    (table (export "__indirect_function_table") 4 funcref)
    (global (export "__stack_pointer") (mut i32) i32.const 4096)
    (global (export "first:memory_base") i32 i32.const 4096)
    (global (export "first:table_base") i32 i32.const 1)
    (global (export "second:counter") (mut i32) i32.const 4112)
    (global (export "second:table_base") i32 i32.const 2)
    (type $back (func (param i32) (result i32)))
    ;; The first library calls this of the second, which is instantiated later.
    (func (export "back") (type $back) local.get 0 i32.const 2 call_indirect (type $back))
    (data (i32.const 4096) "text"))

  (core module $first
    (import "env" "memory" (memory 1))
    (import "env" "__indirect_function_table" (table 1 funcref))
    (import "env" "__stack_pointer" (global $stack (mut i32)))
    (import "env" "__memory_base" (global $memory_base i32))
    (import "env" "__table_base" (global $table_base i32))
    (import "env" "log" (func $log (param i32 i32)))
    (import "env" "back" (func $back (param i32) (result i32)))
    (import "GOT.mem" "counter" (global $counter (mut i32)))
    (global (export "text") i32 i32.const 0)
    (elem (global.get $table_base) func $listed)
    (func $listed (export "listed") (result i32) global.get $counter i32.load)
    (func $unused (export "unused") (global.set $counter (i32.const 0)))
    (func (export "work") (param i32) (result i32)
      (global.set $stack (i32.sub (global.get $stack) (i32.const 16)))
      (call $log (global.get $memory_base) (i32.const 4))
      (global.set $stack (i32.add (global.get $stack) (i32.const 16)))
      (call $back (local.get 0))))

  (core module $second
    (import "env" "memory" (memory 1))
    (import "env" "__table_base" (global $table_base i32))
    (import "env" "work" (func $work (param i32) (result i32)))
    (import "GOT.mem" "counter" (global $counter (mut i32)))
    (func (export "back") (param i32) (result i32)
      (i32.add (local.get 0) (i32.load (global.get $counter))))
    (func (export "run") (param i32) (result i32) (call $work (local.get 0)))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) global.get $table_base))

  (core module $elements
    (import "env" "__indirect_function_table" (table 1 funcref))
    (import "second" "back" (func $back (param i32) (result i32)))
    (elem (i32.const 2) func $back))

  (core module $shim
    (table (export "$imports") 1 1 funcref)
    (func (export "0") (param i32 i32) (call_indirect (param i32 i32) (local.get 0) (local.get 1) (i32.const 0))))

  (core module $fixup
    (import "" "0" (func (param i32 i32)))
    (import "" "$imports" (table 1 1 funcref))
    (elem (i32.const 0) func 0))

  (core instance $shim (instantiate $shim))
  (core instance $main (instantiate $main))
  (alias core export $main "memory" (core memory $memory))
  (core instance $first (instantiate $first
    (with "env" (instance
      (export "memory" (memory $memory))
      (export "__indirect_function_table" (table $main "__indirect_function_table"))
      (export "__stack_pointer" (global $main "__stack_pointer"))
      (export "__memory_base" (global $main "first:memory_base"))
      (export "__table_base" (global $main "first:table_base"))
      (export "log" (func $shim "0"))
      (export "back" (func $main "back"))))
    (with "GOT.mem" (instance (export "counter" (global $main "second:counter"))))))
  (core instance $second (instantiate $second
    (with "env" (instance
      (export "memory" (memory $memory))
      (export "__table_base" (global $main "second:table_base"))
      (export "work" (func $first "work"))))
    (with "GOT.mem" (instance (export "counter" (global $main "second:counter"))))))

  (core func $lowered (canon lower (func $log) (memory $memory) (realloc (core func $second "realloc"))))
  (core instance (instantiate $fixup
    (with "" (instance
      (export "0" (func $lowered))
      (export "$imports" (table $shim "$imports"))))))
  (core instance (instantiate $elements
    (with "env" (instance $main))
    (with "second" (instance $second))))

  (func (export "run") (param "number" s32) (result s32) (canon lift (core func $second "run"))))
