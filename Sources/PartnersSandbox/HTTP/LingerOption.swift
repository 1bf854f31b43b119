internal import FlyingSocks
internal import Glibc

/// SO_LINGER, which FlyingSocks doesn't name.
struct LingerOption: SocketOption {
  let name = Int32(SO_LINGER)

  func makeValue(from socketValue: linger) -> linger { socketValue }

  func makeSocketValue(from value: linger) -> linger { value }
}
