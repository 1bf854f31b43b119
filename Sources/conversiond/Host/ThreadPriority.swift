import Glibc

/// Stands for setpriority(2) in this whole program, and changes nothing: an executable's symbol goes before the C library's,
/// linked statically or not (ld.so(8)).
///
/// libdispatch calls it in each worker thread that it begins (`_dispatch_worker_thread`), whatever priority our tasks have.
/// For one of them, once in a process, it asks for -4, which only root is given (EACCES), and under a unit's filter of
/// system calls each request is refused (EPERM); for every refusal it writes a line to the journal at notice. All of the
/// daemon's threads are to have one priority, the unit's `Nice=`, so no request has a use.
@_cdecl("setpriority")
public func keptPriority(_ which: CInt, _ who: CUnsignedInt, _ priority: CInt) -> CInt { 0 }
