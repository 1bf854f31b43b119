/// A file that a connection has open. It is unusable once the power fails or the process ends.
final class OpenFile: Sendable {
  let disk: CrashDisk
  let name: String
  private let generation: Int
  private let isDeletedOnClose: Bool

  init(_ disk: CrashDisk, _ name: String, isDeletedOnClose: Bool) {
    (self.disk, self.name, self.isDeletedOnClose) = (disk, name, isDeletedOnClose)
    generation = disk.withState { $0.generation }
  }

  func read(count: Int, at offset: Int) -> ArraySlice<UInt8>? {
    disk.withState { $0.read(name, generation, count: count, at: offset) }
  }

  func write(_ bytes: [UInt8], at offset: Int) -> Int32 {
    disk.withState { $0.write(name, generation, bytes, at: offset) }
  }

  func truncate(to size: Int) -> Int32 { disk.withState { $0.truncate(name, generation, to: size) } }
  func sync() -> Int32 { disk.withState { $0.sync(name, generation) } }
  var size: Int? { disk.withState { $0.size(name, generation) } }
  var isAlive: Bool { disk.withState { $0.isAlive(generation) } }

  func close() {
    guard isDeletedOnClose, isAlive else { return }
    _ = disk.withState { $0.delete(name, isDurable: false) }
  }
}
