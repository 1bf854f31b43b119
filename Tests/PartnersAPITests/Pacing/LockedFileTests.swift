import Conversions
import Foundation
import Testing

@testable import PartnersAPI

@Suite("The locked file")
struct LockedFileTests {
  @Test("of four hundred changes at once none is lost")
  func contention() async throws {
    try await ClientFixture.withFolder { folder in
      let path = folder + "/count"
      // Each access opens the file for itself, as another process would: flock(2) locks belong to the opened file.
      DispatchQueue.concurrentPerform(iterations: 8) { _ in
        for _ in 0..<50 {
          try? LockedFile(path: path).access(bytesMax: 100) { bytes in
            // Long enough that two without a lock would meet.
            usleep(200)
            let count = bytes.flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0
            return ((), Array(String(count + 1).utf8))
          }
        }
      }
      let count = try LockedFile(path: path).access(bytesMax: 100) { bytes in (bytes, nil) }
      #expect(count == Array("400".utf8))
    }
  }

  @Test("a file that is replaced while somebody waits for its lock is not written to")
  func replaced() async throws {
    try await ClientFixture.withFolder { folder in
      let file = LockedFile(path: folder + "/file")
      try file.access(bytesMax: 100) { _ in ((), Array("old".utf8)) }
      try file.access(bytesMax: 100) { _ in
        // An access that begins now waits for the old file's lock, and finds a new file when it has it.
        Thread.detachNewThread {
          try? file.access(bytesMax: 100) { _ in ((), Array("late".utf8)) }
        }
        Thread.sleep(forTimeInterval: 0.1)
        try FileManager.default.moveItem(atPath: file.path, toPath: folder + "/aside")
        try "new".write(toFile: file.path, atomically: false, encoding: .utf8)
        return ((), nil)
      }
      let text = { (name: String) in try String(contentsOfFile: folder + name, encoding: .utf8) }
      for _ in 0..<200 where try text("/file") != "late" { try await Task.sleep(for: .milliseconds(10)) }
      #expect(try text("/file") == "late")
      #expect(try text("/aside") == "old")
    }
  }
}
