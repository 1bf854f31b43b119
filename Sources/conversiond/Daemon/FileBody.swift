import FlyingFox
import FlyingSocks
import Foundation

/// An open file, as the body of an answer: read piece by piece, while it is sent.
struct FileBody: AsyncBufferedSequence {
  typealias Element = UInt8

  let file: FileHandle

  static func size(of file: FileHandle) -> Int {
    let size = (try? file.seekToEnd()) ?? 0
    try? file.seek(toOffset: 0)
    return Int(size)
  }

  func makeAsyncIterator() -> Iterator { Iterator(file: file) }

  struct Iterator: AsyncBufferedIteratorProtocol {
    let file: FileHandle

    func next() async throws -> UInt8? { try file.read(upToCount: 1)?.first }

    func nextBuffer(suggested count: Int) async throws -> Data? {
      let bytes = try file.read(upToCount: count)
      return bytes?.isEmpty == false ? bytes : nil
    }
  }
}
