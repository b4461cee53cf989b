"""Who works at the company of `fedcorp demo`: departments, a supplier, people, groups. Invented names, values only.

Knows no database. Names of people come from many languages; none of them means a real person.
"""

from dataclasses import dataclass

from fedcorp.social import policy


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account: `username` is the handle without its domain."""

    username: str
    name: str
    job: str
    place: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A group; `home` is the key of the department that hosts it, `owner` a username there."""

    name: str
    title: str
    home: str
    owner: str
    note: str
    preset: str = "open"
    reach: str = "company"

    @property
    def asks(self) -> bool:
        """Whether its moderators let people in."""
        return policy.needs_approval(policy.RULES[self.preset].joining)

    @property
    def members_only(self) -> bool:
        """Whether only members read it."""
        return policy.RULES[self.preset].reading == "members"


@dataclass(frozen=True, slots=True)
class Department:
    """One server. `tier` is what the other servers take it for."""

    key: str
    title: str
    tier: str
    people: tuple[Person, ...]


def _people(lines: str) -> tuple[Person, ...]:
    """People from lines of `username | name | job | place | note`."""
    rows = ([part.strip() for part in line.split("|")] for line in lines.strip().splitlines())
    return tuple(Person(*row) for row in rows)


FINANCE = _people("""
    amara | Amara Okafor | Head of finance | Main building, 2nd floor | Numbers before noon, people after. Ask me early.
    willem | Willem de Vries | Controller | Main building, 2nd floor | I run the close calendar. Day 5 is day 5.
    ingrid | Ingrid Solberg | Accounts payable | Main building, 2nd floor | Leads the payables desk.
    kenji | Kenji Watanabe | Cost accounting | Plant office | Standard costs, routings, and why they differ.
    fatima | Fatima Zahraoui | Accounts payable | Main building, 2nd floor | With an order number it goes faster.
    tomasz | Tomasz Kowalski | Accounts receivable | Main building, 2nd floor | Reminders are friendly until the third.
    beatriz | Beatriz Almeida | Treasury | Main building, 2nd floor | Payment runs on Tuesday and Thursday.
    daniel | Daniel Mensah | Planning and forecast | Main building, 2nd floor | Rolling forecast, rolling coffee cup.
    priya | Priya Raman | Reporting | Home office, Tuesdays in | Writes the monthly pack.
    lukas | Lukas Brandt | Tax and customs | Main building, 2nd floor | Customs codes and VAT questions welcome.
    nadia | Nadia Haddad | Purchasing lead | Main building, 1st floor | Castings, steel and everything with a lead time.
    sean | Sean Gallagher | Purchasing | Main building, 1st floor | Packaging, freight and services.
    marta | Marta Jansen | Purchasing | Main building, 1st floor | Electrical parts. On Fridays until noon.
    yusuf | Yusuf Demir | Purchasing | Main building, 1st floor | Machined parts and subcontracting.
    chloe | Chloé Lefebvre | Travel and expenses | Main building, 2nd floor | Keep the receipt.
    oleksandr | Oleksandr Shevchenko | Finance systems | Home office | Scripts, interfaces, reconciliations.
    hana | Hana Nováková | Payroll | Main building, 2nd floor | Cut-off is the 18th. Really.
    mateo | Mateo Vargas | Fixed assets | Main building, 2nd floor | If it has a tag, I have a row for it.
    sunita | Sunita Thapa | Accounts payable | Main building, 2nd floor | Started in spring, learning fast.
    emma | Emma Lindqvist | Internal audit | Main building, 3rd floor | I ask how things work. Nothing more sinister.
""")

OPERATIONS = _people("""
    rashid | Rashid Karimi | Plant manager | Plant office | Walks the floor at seven and at three.
    femke | Femke Bakker | Production planning | Plant office | Keeper of the weekly plan.
    joseph | Joseph Adeyemi | Shift lead, early | Hall A | Handover board at 5:50.
    agnieszka | Agnieszka Nowak | Shift lead, late | Hall A | Late shift, early riser.
    carlos | Carlos Mendes | Maintenance lead | Workshop | Report it while it still only rattles.
    linh | Linh Nguyen | Quality lead | Lab | Measures twice.
    pieter | Pieter Smit | Warehouse lead | Hall C | Dock times and pallet places.
    aisha | Aisha Mohamed | Quality engineer | Lab | Incoming inspection and supplier quality.
    giorgio | Giorgio Bianchi | Process engineering | Hall B | Machining and assembly processes.
    wei | Wei Zhang | Automation | Hall B | PLCs, robots and small Python scripts.
    katarina | Katarina Horvat | Production planning | Plant office | Capacity and subcontracting.
    samuel | Samuel Osei | Maintenance | Workshop | Hydraulics and compressed air.
    leila | Leila Farahani | Safety officer | Plant office | First aid, permits, near misses. My door is open.
    bram | Bram Visser | Warehouse | Hall C | Goods in.
    ravi | Ravi Pillai | Assembly | Hall B | Line 4 and its robot.
    elif | Elif Yildiz | Customer service | Main building, 1st floor | What customers tell us, and what we answer.
    noah | Noah Peters | Tooling | Workshop | Fixtures, gauges and a tidy drawer.
    dmitri | Dmitri Volkov | Shift lead, nights | Hall A | Awake when you are not.
""")

PEOPLE = _people("""
    zanele | Zanele Dlamini | Head of people | Main building, 3rd floor | Talk to me about how we work together.
    sofie | Sofie Mertens | Recruiting | Main building, 3rd floor | Hiring for the plant.
    arjun | Arjun Nair | Recruiting | Home office, Thursdays in | Hiring for the offices.
    helena | Helena Costa | Learning | Main building, 3rd floor | Courses, languages, apprentices.
    jonas | Jonas Weber | Pay and benefits | Main building, 3rd floor | Questions about your payslip start here.
    mei | Mei Tanaka | Onboarding | Main building, ground floor | Your first week is my favourite week.
    omar | Omar Said | IT service desk | Main building, ground floor | Tickets first, please. Then come by.
    grace | Grace Wanjiru | Health at work | Main building, 3rd floor | Desks, backs, breaks.
    isabel | Isabel Romero | Internal communication | Main building, 3rd floor | Meeting notes and the notice boards.
    thijs | Thijs van Dijk | Facilities | Main building, ground floor | Rooms, keys, heating, bicycles.
    anouk | Anouk Dubois | Canteen and events | Canteen | Menu on Mondays.
    viktor | Viktor Petrov | IT workplace | Main building, ground floor | Laptops, phones, meeting rooms.
    maryam | Maryam Rezaei | Learning | Main building, 3rd floor | Teaches Dutch on Tuesdays.
    kofi | Kofi Boateng | Facilities | Hall C | Yard, waste, lifts.
    laila | Laila Hansen | Sustainability | Main building, 3rd floor | Energy, waste, transport: measured first.
    ruben | Ruben Stein | Works council | Main building, ground floor | Secretary of the works council.
""")

SUPPLIER = _people("""
    lars | Lars Nilsson | Account manager | Office | Your first contact here.
    petra | Petra Vogel | Dispatch | Yard | Trucks leave at six.
    ibrahim | Ibrahim Touré | Quality | Lab | Certificates and measuring reports.
    milena | Milena Jovanović | Planning | Office | Melting plan and lead times.
    antonio | Antonio Ferri | Foundry | Melting hall | Iron at 1,420 degrees.
    julia | Julia Hoffmann | Logistics | Office | Empties come home.
""")

DEPARTMENTS = (
    Department("finance", "Finance", "department", FINANCE),
    Department("operations", "Operations", "department", OPERATIONS),
    Department("people", "People & Culture", "department", PEOPLE),
    Department("supplier", "The Foundry (supplier)", "partner", SUPPLIER),
)

GROUPS = (
    Group("purchasing", "Purchasing", "finance", "nadia", "Orders, prices, lead times. Members only.", "request"),
    Group("year_end_close", "Year-end close", "finance", "willem", "Calendar, questions, done lists.", "request"),
    Group("python_guild", "Python guild", "finance", "oleksandr", "Small scripts that save an hour."),
    Group("safety", "Safety", "operations", "leila", "Near misses, drills, good ideas. Everybody is welcome."),
    Group("inbound", "Inbound deliveries", "operations", "pieter", "Dock times and castings, with the foundry.",
          reach="partners"),
    Group("customer_voice", "Customer voice", "operations", "elif", "What customers tell us, good and less good."),
    Group("incident_review", "Incident review", "operations", "linh", "What happened, why, what we change.", "private"),
    Group("dutch_lessons", "Dutch lessons", "people", "maryam", "Elke dinsdag, half vijf. Ask in any language."),
    Group("new_starters", "New starters", "people", "mei", "Where is the canteen, who has the key, how do I ..."),
    Group("sustainability", "Sustainability", "people", "laila", "Energy, waste and transport, with numbers."),
    Group("cycling_to_work", "Cycling to work", "people", "thijs", "Routes, pumps, rain."),
    Group("hiring_panel", "Hiring panel", "people", "sofie", "For those who sit in interviews.", "request"),
)  # fmt: skip
