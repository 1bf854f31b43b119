import Pipeline
import Systemd
import Testing

@Suite struct EventCatalogTests {
  @Test func eachEventHasAMessageIDOfItsOwn() {
    for event in JournalEvent.allCases {
      #expect(EventCatalog.messageID(of: event.rawValue) != nil, "\(event.rawValue)")
    }
    #expect(Set(EventCatalog.events.map(\.messageID)).count == EventCatalog.events.count)
    #expect(EventCatalog.events.allSatisfy { $0.messageID.count == 32 })
  }
}
