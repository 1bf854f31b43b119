import Conversions
import Foundation
import Testing

@Suite struct IntakeProgressTests {
  @Test func theSpellingInTheLedgerStays() throws {
    let stored = #"{"isStartSettled":true,"settled":{"horizon":7,"takenAt":5},"noted":{"horizon":9,"takenAt":6}}"#
    let progress = try JSONDecoder().decode(IntakeProgress.self, from: Data(stored.utf8))
    #expect(progress.isStartFixed && progress.covered?.horizon == 7 && progress.noted?.horizon == 9)
    let again = try JSONDecoder().decode(IntakeProgress.self, from: JSONEncoder().encode(progress))
    #expect(again == progress)
    for key in ["isStartSettled", "settled"] {
      #expect(String(decoding: try JSONEncoder().encode(progress), as: UTF8.self).contains("\"\(key)\""))
    }
  }
}
