"""What people write in `fedcorp demo`: topics with openings, replies and closing words, and the words for their slots.

Hand-written for a manufacturer of pumps and valves. A slot like `{part}` keeps its word through a thread, so a reply
speaks of what the opening spoke of. Knows no accounts and no times; the choice of texts is in `demo_plan`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reply:
    """What somebody replies to openings with the numbers `roots` (from 0); `answer` is what may come back."""

    text: str
    roots: frozenset[int]
    answer: str


@dataclass(frozen=True, slots=True)
class Topic:
    """One subject. `authors` are keys of departments, repeated for weight; `group` is where it is talked about."""

    key: str
    authors: tuple[str, ...]
    group: str
    tags: tuple[str, ...]
    roots: tuple[str, ...]
    replies: tuple[Reply, ...]
    warning: str = ""


@dataclass(frozen=True, slots=True)
class PollText:
    """A question with its options; `authors` and `group` as in a topic."""

    authors: tuple[str, ...]
    group: str
    question: str
    options: tuple[str, ...]
    multiple: bool = False


def _texts(block: str) -> tuple[str, ...]:
    """The paragraphs of a block, each as one line."""
    return tuple(" ".join(paragraph.split()) for paragraph in block.strip().split("\n\n"))


def _replies(block: str) -> tuple[Reply, ...]:
    """Replies from paragraphs like `[1 3] Where is it? >> In the folder.`: to the first and third opening."""
    found = []
    for paragraph in _texts(block):
        numbers, _, rest = paragraph[1:].partition("] ") if paragraph.startswith("[") else ("", "", paragraph)
        text, _, answer = rest.partition(" >> ")
        found.append(Reply(text, frozenset(int(number) - 1 for number in numbers.split()), answer))
    return tuple(found)


def _topic(key: str, authors: str, group: str, tags: str, roots: str, replies: str, warning: str = "") -> Topic:
    return Topic(key, tuple(authors.split()), group, tuple(tags.split()), _texts(roots), _replies(replies), warning)


SLOTS: dict[str, tuple[str, ...]] = {
    "part": ("pump housings", "valve bodies", "seal kits", "bearing covers", "impellers", "flanges", "motor brackets",
             "couplings", "shaft sleeves", "cable glands"),
    "line": ("line 1", "line 2", "line 3", "line 4", "line 5", "the small assembly line"),
    "machine": ("the large press", "the laser cutter", "the paint booth", "test bench 2", "the robot on line 4",
                "the packing machine", "compressor 1", "the five-axis mill", "the washing machine in hall B",
                "the overhead crane in hall C"),
    "day": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"),
    "hour": ("8:30", "9:00", "10:15", "11:00", "13:30", "14:00", "15:15", "16:00"),
    "count": ("4", "6", "8", "9", "11", "12", "14", "16", "18", "23", "27", "36"),
    "few": ("two", "three", "four", "five", "six"),
    "percent": ("2", "3", "4", "6", "7", "9", "11", "14"),
    "amount": ("1,240", "2,900", "4,150", "6,800", "9,475", "12,300", "18,600", "27,400", "41,000"),
    "minutes": ("5", "10", "15", "20", "25", "40"),
    "room": ("room 1.12", "room 2.04", "room 3.07", "the training room", "the meeting corner in hall B"),
    "order": ("61207", "61344", "61518", "61790", "61834", "62011", "62165", "62403"),
    "article": ("4-2217", "4-2280", "5-1034", "5-1180", "7-0412", "7-0655", "9-3301"),
    "customer": ("the water board in the north", "a dairy in Denmark", "the shipyard", "a brewery in Bavaria",
                 "the district heating project", "a paper mill in Sweden", "the greenhouse growers"),
    "account": ("freight", "consumables", "maintenance", "training", "tools", "subcontracting", "energy", "packaging"),
    "dag": ("maandag", "dinsdag", "woensdag", "donderdag", "vrijdag"),
    "digit": ("1", "2", "3", "4", "5", "6", "7"),
    "role": ("a maintenance technician", "a production planner", "a payroll specialist", "a CNC operator",
             "a quality engineer", "a buyer for electrical parts", "a warehouse employee", "a service engineer"),
    "course": ("forklift refresher", "first aid", "spreadsheet basics", "giving feedback", "reading drawings",
               "working at height", "presentation skills"),
    "dish": ("lentil soup", "mushroom risotto", "vegetable lasagne", "chicken curry", "tomato soup",
             "potato gratin", "couscous salad"),
    "route": ("the canal", "the old railway", "the park behind the station", "the windmill", "the harbour"),
    "system": ("the time system", "the ordering system", "the document store", "the ticket portal",
               "the planning board"),
    "place": ("hall A", "hall B", "hall C", "the yard", "the workshop", "the dock"),
}  # fmt: skip

TOPICS = (
    _topic(
        "purchasing", "finance", "purchasing", "#purchasing #leadtimes",
        """
        The new prices for {part} are in the system from {day}. About {percent} percent up, mostly energy. Older
        orders keep the old price.

        Order {order} is confirmed for {day}, not for the day we asked. {count} pallets of {part}. If that hurts
        on {line}, tell me today.

        I am comparing {few} offers for {part}. Who has experience with packaging and returns of these vendors?

        Please put the article number in every request. Three mails this morning said "the usual {part}", and we
        buy {few} kinds.

        The minimum order for {part} goes from 50 to 200 from next quarter. Could planning look at whether we
        can bundle articles {article} and 7-0560?

        We now have a second source for {part}. First samples arrive {day}, quality measures them, then we
        decide.

        Reminder: orders above € {amount} need two signatures. It took me {minutes} minutes to find the second
        one today.

        Lead time for {part} went from three weeks to {few} weeks longer. I have asked for partial deliveries.
        """,
        """
        [2 8] That works for us. Planning has stock until the week after. >> Thanks, that saves us an express
        truck.

        [2] Could you send me the confirmation? Then I move the order for {part} on the board. >> Done, it is in
        the folder of the order.

        [8] We had the same with {article} last year. Partial deliveries helped a lot. >> I asked again: they
        can do half on {day} and the rest a week later.

        [1] Is the price per piece or per hundred? The last list mixed the two. >> Per hundred. I have corrected
        the list.

        [2 5] I can free a place in the warehouse for it, but please not before {day}.

        [6] Please keep the old supplier warm, we may need both for a while.

        [3 6] Good. Send me the drawing number and I check the revision. >> Done, it is in the folder of the
        order.
        """,
    ),
    _topic(
        "month_close", "finance", "year_end_close", "#monthend #close",
        """
        Close of {month}: day 1 is done. Open: {count} goods receipts without invoice, mostly {account}.

        Day 3 and intercompany matches to the cent. First time this year. Thank you, everybody who answered
        before lunch.

        Please send accruals for {account} by {day}, {hour}. After that the period is closed and it becomes next
        month.

        The {month} result is in the pack. Margin on {part} is {percent} percent below plan; the note on page 4
        says why.

        Reconciling {account} took {count} minutes today instead of two hours. The new matching rule does what
        it should.

        Stock count differences of {month}: € {amount} in total, most of it on article {article}. Warehouse and
        cost accounting look at it on {day}.

        I moved the close calendar of {month} into the shared folder. Change: freight accruals one day earlier.

        Two journal entries without a document on {account}. If they are yours, please attach something I can
        read.
        """,
        """
        [3] Mine are in. One is an estimate, the invoice comes on {day}.

        [3] Can I get until the next morning for {account}? The carrier has not sent its statement. >> Until
        ten, then I close it.

        [6] I checked {article}: a receipt was booked twice. Correcting it now. >> Good find. I take it off the
        list.

        [4] Page 4 is clear. Could we show volume and price apart next month? >> We can. I put it into the
        template for next month.

        [7] Thank you for the early calendar, that helps a lot.

        [6] The difference is mine, wrong unit of measure. Sorry, fixed. >> Good find. I take it off the list.

        [1] Is the exchange rate of the last day already loaded? >> Yes, loaded at {hour}.
        """,
    ),
    _topic(
        "invoices", "finance", "", "#payables",
        """
        There are {count} invoices waiting for an approval older than two weeks. The list is sorted by name,
        have a look whether it is yours.

        An invoice for {part} quotes order {order}, but the receipt is on another one. Who unloaded on {day}?

        We paid {amount} euros too early this month because of a wrong payment term. The term is corrected now.

        Small thing that helps us: if a delivery note and the goods differ, write it on the note before you
        sign.

        The scan of invoices now reads order numbers by itself in most cases. Handwritten ones still come to me.

        The next payment run is {day} at {hour}. What is approved by then goes out.

        A vendor changed its bank account by mail. As always: we call them on the known number before we change
        anything.
        """,
        """
        [1 2] The one on {order} was me, I approve it now. >> Got it, thank you. Paid with the next run.

        [1] I am the deputy this week, please send them to me. >> Perfect, the list is shorter already.

        [2 4] The delivery note says {count} pieces, we counted two fewer. Note is in the folder. >> Then I hold
        it until the credit note is here.

        [4] Good reminder. We put it on the board at goods in.

        [3 6] Does that count for credit notes too? >> Yes, credit notes too.

        [7] I called them, the change is real.
        """,
    ),
    _topic(
        "budget", "finance", "", "#forecast #budget",
        """
        The forecast round starts {day}. You will find your cost centre prefilled with actuals until {month}.
        Change what you know better.

        {account} runs {percent} percent over budget. No drama, but I would like to know whether it stays like
        this.

        For the budget of next year I need head counts by {day}. Rounded is fine, missing is not.

        We compared energy per produced pump with last year: {percent} percent lower, with colder weeks in it.

        Investment requests: {count} came in, together {percent} percent more than we have. The meeting to sort
        them is on {day} in {room}.

        The volume plan for {part} went up. That means a second shift on {line} for at least {few} weeks.

        I have put a one-page guide to the forecast sheet into the folder, with the {few} mistakes everybody
        makes, me included.
        """,
        """
        [2] It stays. The hall needs {few} repairs that we moved from last year. >> Then I leave it in and write
        a comment.

        [3] Head counts are in. One position is still open, I marked it.

        [1 7] Could we get the sheet without macros? It does not open on the shop floor computers. >> A version
        without macros is in the folder now.

        [7] The guide is good. Point 3 was me.

        [6] Is the second shift already in the labour plan? >> Yes, since this morning.

        [1 3] I would rather show the range than one number. >> Agreed, I show both.
        """,
    ),
    _topic(
        "expenses", "finance", "", "#expenses #travel",
        """
        Travel: please book trains before Friday noon, after that the fare is about {percent} percent higher.

        New this month: a photo of the receipt is enough for amounts up to 150 euros. The paper may go.

        {count} expense reports were paid today. If yours is not among them, a receipt is missing and you have a
        message.

        Going to {customer} on {day}, two seats free in the car. We leave at {hour}.

        The hotel near the fair is full. I reserved {few} rooms two stops further, breakfast included.

        The daily allowances changed on the first of the month. The form takes the right one by date of travel.
        """,
        """
        [4] One seat for me, please. I bring the samples. >> See you at the gate at {hour}.

        [2] Is a photo also enough for fuel? >> Yes, also for fuel.

        [6] My report is from before the change, do I have to do it again? >> No, old ones are fine as they are.

        [5] Thanks for the rooms. Please put me down for one. >> You are on the list.

        [3] That was fast, thank you.
        """,
    ),
    _topic(
        "shifts", "operations", "", "#shifts #handover",
        """
        Handover early to late: {line} ran all day, {machine} was down {minutes} minutes, the part is ordered.
        Two people short tomorrow.

        Who can swap the late shift on {day} with me? I take one of your early ones next week.

        {line} made its weekly number on {day} morning. Good work of both shifts.

        The plan for next week is out. Change against the draft: {line} starts on Tuesday because of the {part}.

        Night shift: quiet, {count} orders finished, one pallet of {part} blocked for quality. Label is on it.

        From {day} the handover is at the board in {place}, not in the office. Five minutes, standing.

        We need {few} people on Saturday for order {order}. Six to twelve, voluntary. Tell your shift lead by
        {day}.

        Changeover on {line} took {minutes} minutes today. The trolley with the prepared tools makes the
        difference.
        """,
        """
        [2] I can swap. Early is better for me that week anyway. >> Swapped, the plan is updated. Thank you!

        [7] Put me down for Saturday. >> Perfect, then we are complete.

        [1] The part for {machine} came this afternoon, we fit it before the shift starts. >> Thanks. I write it
        on the board.

        [5] Label found, we measure {part} first thing in the morning. >> Thanks. I write it on the board.

        [6] Standing is good. Could someone fix the light above the board? >> Light is on the list of
        facilities.

        [3 8] We noticed. {line} ran very smoothly.

        [1 7] Two from hall C can help, I asked them. >> Perfect, then we are complete.
        """,
    ),
    _topic(
        "maintenance", "operations", "", "#maintenance",
        """
        {machine} is out of service on {day} from {hour} for the yearly inspection. Plan about half a day.

        The noise of {machine} was a bearing. Replaced, {count} micrometres of play before, none now.

        Compressed air: we found {count} leaks in {place}. Repaired the loud ones, the small ones follow this
        week.

        Please do not reset {machine} more than once. Write down the code and call us, it saves the drive.

        Spare part for {machine} has {few} weeks of lead time. I propose to keep one on the shelf; it costs €
        {amount}.

        Oil samples are back: all fine except {machine}, there we change the filter on {day}.

        New rule in the workshop that works: whoever takes the last one writes it on the whiteboard. We have not
        been out of seals since {month}.
        """,
        """
        [1] Half a day is fine, we run article {article} on the other machine. >> Inspection done, released at
        {hour}.

        [4] Code was E-47, twice, around {hour}. >> E-47 is the pressure switch. We bring one.

        [5] One on the shelf is cheaper than one day standing. I would do it.

        [3] How much does a leak cost, roughly? I would like to use that in the energy report. >> A small one
        about 400 euros a year, day and night.

        [2 6] Thanks for coming so quickly this morning.

        [3] Could you look at the hose in {place} too? It sweats. >> Looked at it, new hose is in.
        """,
    ),
    _topic(
        "quality", "operations", "", "#quality",
        """
        Incoming inspection of {part}: {count} of 200 with burrs on the inner edge. Blocked, supplier informed,
        sorting starts {day}.

        First-pass yield on {line} is at 9{digit} percent this week. The new fixture is worth it.

        Measuring room is closed on {day} for calibration. Urgent parts before {hour}, please.

        Drawing of article {article} has a new revision. Changed: one tolerance and the marking. Old prints go
        into the bin today, please.

        Complaint of {customer} closed: a seal was mounted the wrong way round. The fixture now only takes it
        one way.

        Sample report for {part} is done, all characteristics inside, two close to the limit. I would watch
        those.

        We start with photos at final inspection on {line}. {minutes} seconds more per pump, and no more
        guessing later.
        """,
        """
        [1] We can sort here with two people on {day}. >> Sorted: the good ones are released.

        [1] Which batch? We still have some in {place}. >> The batch of {day}, numbers are on the label.

        [4] Old prints on {line} are gone.

        [5] One way only is the best kind of fixture.

        [6] The two close ones are the same as last time. Shall we move the tool by a few hundredths? >> Yes,
        please move it. We measure the first five then.

        [2 5 7] Could you put the picture into the folder? I show it in the morning round. >> Picture is in the
        folder.
        """,
    ),
    _topic(
        "warehouse", "operations", "", "#warehouse",
        """
        Goods in is full until {day}. Please do not call trucks forward without asking us.

        Cycle count in {place}: {count} places checked, one difference. That is a good result.

        We moved {part} to row 14, closer to {line}. It saves about {minutes} minutes of driving per shift.

        Truck for {customer} leaves {day} at {hour}. What is not packed by then goes with the next one.

        Someone left {few} pallets without a label in {place}. They hold {part}. Whose are they?

        New scanners arrived. Old ones keep working until the end of the month, then we collect them.
        """,
        """
        [5] Those pallets are ours, we label them within the hour. >> Labels seen, thanks.

        [3] Row 14 is great, thank you. >> Good to hear.

        [1] Is there room for {count} more from order {order}? >> Room for half of them today, the rest {day}.

        [4] Packing is done except for the certificates. They come at noon. >> Certificates are in, truck is
        closed.

        [6] The new scanner reads the small labels too. Finally. >> Good to hear.
        """,
    ),
    _topic(
        "safety", "operations operations people finance", "safety", "#safety #nearmiss",
        """
        Near miss in {place} on {day}: a strap slipped off a pallet of {part}. Nobody was near. We looked at all
        straps today, {few} were worn.

        {count} near misses reported in {month}, twice as many as before. That is good: we hear of things
        earlier.

        Fire drill went well: everybody at the meeting point in {few} minutes. The side door in {place} sticks,
        facilities looks at it.

        The floor marking in {place} is repainted on {day}. Please keep it free from {hour}.

        Eye protection at {machine}: the new ones do not fog up. They lie in the cabinet in {place}, take a
        pair.

        Idea of the late shift, done today: a mirror at the corner of {place}. Forklifts and people see each
        other now.

        First aid course has {few} free places on {day}. We are still short of first aiders on the late shift.

        Please report small cuts too. Last week we had {few} at the same edge of {machine}. The edge is covered
        now.
        """,
        """
        [1 8] Thank you for reporting it. We check our straps in {place} as well.

        [6] The mirror is very good. One at the dock would help too. >> A second mirror is ordered.

        [7] I take one of the places in the course. >> You are on the list, the course starts at {hour}.

        [2 8] How do we report from a phone? >> Scan the code on the poster, three questions, done.

        [3] The side door: the closer is adjusted, please tell me if it still sticks.

        [1 2 5] Could you talk about this in the morning round on {day}? >> Yes, I come to the morning round.
        """,
        "Near miss",
    ),
    _topic(
        "inbound", "supplier supplier operations", "inbound", "#inbound #castings",
        """
        Truck for order {order} left this morning: {count} pallets of castings, at your dock around {hour}.

        Dock times for next week: {day} {hour} is free again, the afternoon is full. First come, first served.

        We are short of empties. About {count} steel boxes should be standing in your yard. Can they come back
        with the next truck?

        Certificates for order {order} are uploaded. Material is inside, hardness is in the upper third.

        The melting furnace is down until {day}. Castings for article {article} move by two days, all others as
        planned.

        Counted today: {count} boxes of order {order} received, complete, two labels unreadable. Could you print
        them larger?

        The pattern for article {article} is worn. We propose to repair it before the next {few} batches, two
        days of work.

        For the higher demand on {part} we would like a second truck on {day}s. Does that work on your side?
        """,
        """
        [1 2] {hour} is fine, please come to dock 2. >> Dock 2, noted. Thank you.

        [3] Found {few} stacks of boxes behind {place}. They go back with the next truck.

        [5] Two days are all right, we have castings until then.

        [7] Yes, please repair the pattern. Quality would like to see the first five. >> First five go with the
        next truck, in a marked box.

        [6] Labels will be larger from the next delivery.

        [4] Hardness is fine for us. Please keep an eye on it.

        [8] A second truck works, but only before noon. >> Then we plan it for {day} morning.
        """,
    ),
    _topic(
        "incident_review", "operations", "incident_review", "#review",
        """
        Review of the stop on {line}: {minutes} minutes without power on one cabinet. Cause: a relay from the
        first years. We replace the other {few} before the end of the month.

        What went well on {day}: the backup label printer was ready, because somebody tested it the week before.

        Draft of the review for order {order} is in the folder. Please correct facts, not style, by {day}.

        Actions from the last three reviews: {count} done, {few} open, none older than six weeks.

        Wrong {part} mounted on {few} pumps. Found at final inspection. The two boxes looked alike; now the
        labels have colours.

        Network in {place} was gone for {minutes} minutes. The line kept running with local orders, as planned
        last year.
        """,
        """
        [3] I corrected the times, the rest is right. >> Final version is in the folder.

        [5] Colours help. Please also for people who do not see red and green well: add a letter. >> Good point,
        letters are on the labels now.

        [1] Relays are on stock, we do them on {day} before the shift. >> All replaced. I close the action.

        [1 3] Could the review say who decided to restart, and on which facts? Not who was to blame. >> Added.
        It was decided at the board, with three people.

        [1 3 5] Thank you for writing it so plainly.
        """,
        "Details of a production stop",
    ),
    _topic(
        "customer_voice", "operations", "customer_voice", "#customers",
        """
        {customer} wrote: the pumps run quieter than the old ones. They measured it themselves, {few} decibels.

        Complaint about packaging from {customer}: corners crushed on {few} boxes. Photos are in the folder.

        A question we hear often lately: how long are spare parts for {part} available? I would like one answer
        for all.

        The visit of {customer} is on {day}. They would like to see {line} and the test bench.

        Delivery on time in {month}: 9{digit} percent. The late ones were all waiting for {part}.

        {customer} asks for the certificate in their own language. We have templates for {few}, this is a new
        one.

        Praise for the night shift: {customer} called at three in the morning and got a useful answer.
        """,
        """
        [3] Ten years after the last delivery, it is in the terms. I send you the sentence. >> Thank you, that
        is the sentence I needed.

        [2] We tried thicker corners on order {order}, no damage since. >> Then let us use those corners for
        all.

        [4] I can show them the test bench. >> You are in the plan of the visit, {hour}.

        [1 7] That is good to hear. I put it on the board in {place}.

        [6] I can help with the translation. >> Wonderful, I send you the template.
        """,
    ),
    _topic(
        "hiring", "people", "hiring_panel", "#hiring",
        """
        We are looking for {role}. The text is online since {day}. If you know somebody, send them the link.

        Interviews for {role} on {day}, {room}. I still need one person from the team for the second round.

        {count} applications for {role} in two weeks. Thank you for sharing it.

        New: every candidate hears from us within five working days. In {month} we kept that in 9 of 10 cases.

        Questions for interviews are in the folder, the same for every candidate, with what a good answer
        contains.

        {role} starts on the first. Contract is signed, the team knows.

        A trial half day in {place} tells both sides more than a second talk. Shall we offer it for {role}?
        """,
        """
        [2] I can sit in on {day}, from {hour}. >> Thank you, you have the invitation.

        [1] Shared it with two former colleagues.

        [7] The half day was the reason I said yes, back then. >> Then we do the half day.

        [1 3] Could we mention the shift model earlier in the text? People ask that first. >> Good idea, the
        text says it in the second line now.

        [5] The question about a mistake they learned from worked very well. >> I pass that on to the panel.
        """,
    ),
    _topic(
        "new_starters", "people people people finance operations", "new_starters", "#newhere",
        """
        Welcome to the {few} people who start on {day}. Tour at {hour}, meeting point at reception, comfortable
        shoes.

        My first week in {place} is over. Thank you for all the patience with my questions.

        Where do I find the form for {system}? The page in my start folder leads nowhere.

        We look for {few} more people who show somebody new around for their first two weeks. It is a nice job.

        Tip for everybody new: the coffee machine on the ground floor is the better one, and the key for the
        bicycle shed is at reception.

        The start folder has a new page: who to ask for what. If you are on it and do not want to be, tell me.

        After two weeks: names I know: {count}. Names I still mix up: {few}.
        """,
        """
        [2 7] Welcome! If you get lost in {place}, just ask anybody in a blue vest. >> Thanks, that is kind.

        [4] I can show somebody around from {day}. >> Great, I put you on the list.

        [3] The form moved. It is under "My requests" now. >> Found it, thank you.

        [5] Thanks for the tip with the coffee machine, I have been at the wrong one for a year.

        [7] It took me a month with the names. You are doing fine. >> Thanks, that is kind.

        [1] See you on the tour.
        """,
    ),
    _topic(
        "dutch_lessons", "people people operations finance", "dutch_lessons", "#dutch",
        """
        Les van dinsdag: bellen met een leverancier. We oefenen in tweetallen, {room}, half vijf.

        Word of the week: "meedenken". To think along with somebody. We do it all day and English has no word
        for it.

        Wie wil er oefenen tijdens de lunch? Ik zit {dag} om half een in de kantine. Ook beginners zijn welkom.

        Question: when do I say "jij" and when "u" to a customer on the phone?

        Homework for {day}: write three sentences about your work. Mistakes are welcome, that is what we learn
        from.

        Today I ordered lunch in Dutch and got what I wanted. Small victory.

        The difference between "de" and "het" is not a rule but a habit. We collect words from the shop floor
        this time: de pomp, het huis, de klep ...
        """,
        """
        [1 3] Ik doe mee! Tot {dag}. >> Tot dinsdag.

        [4] On the phone always "u" first. If they say "jij", you may follow. >> Dank je wel!

        [6] Goed gedaan! >> Dank je wel!

        [1 7] Could we do words for the warehouse next time? >> Yes, warehouse next time. Bring a photo of a
        label.

        [5] Mijn drie zinnen: ik werk in {place}. Ik controleer onderdelen. Ik drink veel koffie. >> Heel goed,
        geen enkele fout.

        [7] "Het huis" in the house and "het pomphuis" on the pump, I like that.
        """,
    ),
    _topic(
        "learning", "people", "", "#learning",
        """
        Course "{course}" on {day} in {room}: {few} places left. Ask your team lead, then sign up with me.

        The apprentices show their projects on {day} at {hour} in {place}. Everybody may come, it takes an hour.

        What should we learn together next quarter? I collect wishes until {day}.

        {count} of us finished "{course}" this month. The certificates are in the system.

        Short video of four minutes: how to read a delivery note. Made by the warehouse, better than what we
        could buy.
        """,
        """
        [1] I would like a place in "{course}", please. >> Place reserved.

        [5] The video is very clear. May we use it for the Saturday people? >> Of course, please use it.

        [3] My wish: half a day about spreadsheets with real tables of ours. >> Noted. You are the third with
        that wish.

        [2] The apprentices did great work, go and see it.

        [1] Can we do it early in the morning, before the late shift starts? >> There is a second date at seven
        in the morning now.
        """,
    ),
    _topic(
        "python_guild", "finance operations people", "python_guild", "#python",
        """
        A script of 40 lines now compares the delivery list with goods receipts. It found {count} lines that
        nobody missed. Link is in the folder.

        Guild meets {day} at {hour} in {room}. Topic: reading a CSV without surprises (decimal comma, byte order
        mark, the usual).

        Who knows a good way to read the counter of {machine} once a minute? The controller speaks Modbus.

        Learned today: `zip(a, b, strict=True)` would have saved me an afternoon.

        My report for {account} ran {minutes} minutes, now {few} seconds. I was asking the database the same
        question in a loop.

        Please write a test for the scripts others depend on. One is enough to start. I help gladly.

        The script for shift plans has moved to the shared repository. It has a readme now, and a second person
        who understands it.
        """,
        """
        [3] For Modbus I have a small class, I put it into the repository. >> Works, thank you! One reading per
        minute, no gaps so far.

        [2] The decimal comma got me twice this month. I come.

        [4] `strict=True` is on my wall now.

        [1 5] Could you show the before and after in the guild? >> Gladly, ten minutes on {day}.

        [7] I can be the third person.

        [2 6] Which Python do the shop floor computers have? >> 3.11 since the update.
        """,
    ),
    _topic(
        "sustainability", "people people operations", "sustainability", "#energy #waste",
        """
        Power use of {place} at night: {count} kilowatts with nobody there. This week we look for who they are.

        Returnable boxes for {part} saved {count} bins of cardboard in {month}.

        Solar: the roof made {percent} percent more than in the same month last year.

        Sorting waste in {place}: the wrong things in the yellow bin are mostly gloves. They go into the grey
        one.

        I would like to measure water at {machine}. Is there a meter, or do we need one?

        Result of the lights-off weekend: € {amount} per year if we make it a habit. The list by building is in
        the folder.

        We lowered the pressure of the compressed air by half a bar. Nobody noticed, which is the point.
        {percent} percent less power.
        """,
        """
        [7] I noticed nothing on {line}, so it works.

        [5] There is a meter, but nobody reads it. I send you the number on {day}. >> Thank you, exactly what I
        needed.

        [1 6] At night the washing machine keeps its water hot. Could it sleep too? >> It sleeps since {day}.
        Saves more than I thought.

        [4] A picture on the bin would help more than text. >> Pictures are printed, they go up this week.

        [2 3 6] Good numbers. May I use them in the monthly pack? >> Please do use them.

        [2] We could do the same with {part} from the other supplier.
        """,
    ),
    _topic(
        "cycling", "people operations finance finance", "cycling_to_work", "#cycling",
        """
        The path along {route} is open again. {minutes} minutes from the station, no traffic lights.

        New pump at the bicycle shed, the good kind. Please leave it there.

        {count} bicycles in the shed this morning, in the rain. Respect.

        Who rides from the east side? I leave at {hour} on {day}s and like company.

        Repair hour on {day} after work in {place}: brakes, chain, lights. I bring tools, you bring the bicycle.

        Lights on, please. It was quite dark near {route} this morning.

        The shed gets {few} places with a socket for e-bikes. Charging is free, taking out other people's plugs
        is not.
        """,
        """
        [4] I ride from the east side too. See you at the bridge. >> See you there.

        [2] Thank you for the pump!

        [5] I bring my bicycle on {day}, the brake squeaks. >> Brake is quiet now, thank you.

        [1 6] Along {route} there is glass near the bench, take care. >> Glass is gone, I swept it.

        [3] With a good jacket it is not that bad.
        """,
    ),
    _topic(
        "lunch_walk", "people operations finance finance supplier", "", "#lunchwalk",
        """
        Lunch walk today along {route}, {minutes} minutes, meeting at the gate at 12:15.

        The herons at {route} are back. Worth the five minutes more.

        Walked with {few} people from other departments today. Solved one problem and half of another.

        It rains, so today the walk goes through the halls: A, B, C and back. 1,900 steps.

        First warm day. If your meeting can be a walk, make it a walk.

        I found a round of exactly {minutes} minutes behind {route}, with a bench in the middle.
        """,
        """
        [1 4] Coming along, I need the air. >> See you at the gate.

        [1 4 5] Tomorrow I am in. Today is close day. >> Tomorrow then, same time.

        [1 6] Is it fine with a pushchair? >> Yes, paved all the way.

        [6] The bench is a good place for a phone call, too.

        [2] Saw them too, there are three now.
        """,
    ),
    _topic(
        "canteen", "people", "", "#canteen",
        """
        Menu on {day}: {dish}, salad, and bread from the bakery around the corner. Ends at 13:30 this time.

        The canteen opens at 5:30 for the early shift from {day} on. Coffee, rolls, fruit.

        {dish} was finished at 12:20 today. We cook more next time, promised.

        Who would like to share a family recipe? We cook one each month. Last time it was a lamb and apricot
        stew.

        Please bring back cups. {count} of them live in offices, and we know they are happy there.

        Vegetables of the week come from the farm behind {route}.
        """,
        """
        [1 3] The {dish} was very good, thank you. >> Glad you liked it.

        [2] Could there be something warm for the late shift, too? >> A soup for the late shift starts on {day}.

        [4] I have a recipe from my grandmother, it feeds twenty. >> Send it to me, we try it next month.

        [5] Returned four cups from {room}. Sorry.

        [2] Please keep the rolls with seeds. >> The seeds stay.
        """,
    ),
    _topic(
        "facilities", "people", "", "#building",
        """
        The lift in the main building is inspected on {day} from {hour}. Please use the stairs, or the goods
        lift in hall C if you need one.

        {room} has a new screen. One cable, works with every laptop we have.

        Heating in {place} is being balanced this week. If it is too warm or too cold, write down where and
        when.

        Parking: the first row is free for visitors on {day}. {customer} comes with a bus.

        We found a blue jacket, a lunch box and {few} single gloves. They wait at reception.

        The window in {room} closes again. Thank you for the kind note on it.

        Water is off in the main building on {day} between {hour} and 16:30.
        """,
        """
        [5] The blue jacket is mine, thank you!

        [3] Too cold at the desks near the dock, every morning until ten. >> We turned the valve, tell me if it
        is better tomorrow.

        [2] The screen works. The remote has moved to {room}, by the way. >> Remote is back.

        [1] Is the goods lift open for wheelchairs? >> Yes, and somebody will be there to help.

        [1 7] Thanks for the early notice.
        """,
    ),
    _topic(
        "it", "people", "", "#it #howto",
        """
        {system} is being updated on {day} evening. Save your work before 18:00, it is back by seven.

        A mail that asks for your password is not from us. {count} colleagues reported the last one within the
        hour, thank you.

        New phones for shift leads are here. Pick up at the service desk, {minutes} minutes, bring the old one.

        Tip: in {system} you can save a search. The star at the top right. I use it every day.

        Printer near {room} works again. It was a paper clip.

        {system} was slow this morning. Cause found: a report that started {count} times. It has a limit now.

        We replace {count} laptops this month. You get an appointment, it takes about {minutes} minutes.
        """,
        """
        [4] The star! Years without it.

        [2] Reported it too, it looked real apart from the address.

        [3] Can I keep my number with the new phone? >> Yes, the number moves along.

        [6] It is still slow from {place}, since about {hour}. >> Found a bad cable in {place}, changed.

        [5] Thank you, printing works.

        [1] Could we get the update on a Friday next time? {day} evening is our busiest. >> Friday it is, from
        next time.
        """,
    ),
    _topic(
        "wellbeing", "people", "", "#healthatwork",
        """
        Desk check: I come by on {day} in {room} and adjust chairs and screens with you. Ten minutes each.

        Flu vaccination on {day} in {room}, from {hour}. No appointment, bring your badge. Voluntary, of course.

        Short stretch break at {hour} in {place} went well: {count} people, three minutes, some laughter.

        If something weighs on you: the helpline is open day and night, outside the company, and nobody here
        learns of it. The number is on the back of your badge.

        Noise in {place}: we measure on {day}. Please wear protection as always, the result comes with a
        proposal.

        Quiet room on the third floor is ready. A chair, a lamp, a door that closes. Ten minutes help.
        """,
        """
        [1] Please come to {place} too, some chairs are older than I am. >> I come to you on {day}.

        [3] The stretch break was good, can we have it every day? >> Every day at {hour}, then. Bring a
        colleague.

        [4] Thank you for saying this so openly. >> You are welcome.

        [1 2] Is there a time for the late shift? >> Yes, a second round at 18:00.

        [6] The quiet room is a good idea.
        """,
    ),
    _topic(
        "planning", "operations", "", "#planning",
        """
        Order {order} for {customer} moves one week forward. {part} are there, the test bench is the bottleneck.

        Load of {line} next month: {percent} percent above capacity. I see three ways and do not like any of
        them. Meeting on {day}, {hour}.

        We have {few} rush orders in one week. Please check with planning before you promise a date.

        The forecast of {customer} grew by {percent} percent. I ask purchasing to secure {part} until summer.

        New board: green is on time, yellow has a plan, red needs a decision. Only red is discussed in the
        morning.

        Trial on {line}: batches of {count} instead of 40. Less waiting, more changeovers. Numbers after {few}
        weeks.
        """,
        """
        [2] Could the small assembly line take article {article}? We did it in spring. >> In spring it worked,
        good idea.

        [4] Purchasing is on it, answer by {day}. >> Then I confirm the date.

        [5] Only red is good. Yesterday we were done in {minutes} minutes.

        [1] Test bench can run until ten in the evening if two people stay. >> Two people volunteered, so we do
        that.

        [6] What does cost accounting say to the smaller batches? >> Cheaper in stock, dearer in set-up. We look
        at both after the trial.
        """,
    ),
    _topic(
        "works_council", "people", "", "#workscouncil",
        """
        Minutes of the last works council meeting are on the board and in the folder. Topics: break room in
        {place}, Saturday shifts, phones.

        Open hour of the works council: {day}, {hour}, {room}. No appointment needed.

        We agreed on the rules for Saturday work: voluntary, known {few} days before, never more than two in a
        row.

        Questions for the company meeting can be handed in until {day}, also without a name.
        """,
        """
        [3] Clear rules, thank you.

        [3] Does that hold for the warehouse, too? >> Yes, for all departments.

        [1 2] I have a question about the break room and will come by. >> You are welcome, door is open.

        [1] Could the minutes have a short summary on top? >> There is a summary from this time on.
        """,
    ),
    _topic(
        "foundry", "supplier", "", "#foundry",
        """
        Furnace 2 is back after relining. First melt at {hour}, analysis inside.

        Planning for next week: {count} tonnes, most of it {part}. Core shop works Saturday.

        New sand mixture since {day}: fewer pores on thin walls, we keep counting.

        Visit of two quality engineers on {day}. Please have the measuring reports of article {article} ready.

        {few} trucks today, all on time. Thank you, yard.
        """,
        """
        [4] Reports are printed and in the folder. >> Thank you, see you at the morning round.

        [2] Core shop is complete for Saturday.

        [3] Pores are down by half on the last {count} castings. >> Good, we continue with it.

        [1 2] Which furnace takes the large order? >> Furnace 1, from {day} on.
        """,
    ),
)  # fmt: skip

POLLS = (
    PollText(("people",), "dutch_lessons", "Which evening suits you for a second lesson each week?",
             ("Monday", "Wednesday", "Thursday", "One is enough for me")),
    PollText(("people",), "cycling_to_work", "What would help you most to come by bicycle?",
             ("Showers", "More covered places", "A repair stand", "Charging for e-bikes"), multiple=True),
    PollText(("operations",), "safety", "Where should the next floor marking be renewed?",
             ("Hall A", "Hall B", "Hall C", "The yard")),
    PollText(("operations",), "", "Handover at the board: keep the new time?",
             ("Yes", "No, the old time", "No opinion")),
    PollText(("finance",), "python_guild", "Topic of the next guild meeting?",
             ("Reading spreadsheets", "Small web pages", "Tests", "Talking to machines")),
    PollText(("finance",), "year_end_close", "When shall we hold the look back on the close?",
             ("Day 6, morning", "Day 6, afternoon", "Day 8")),
    PollText(("people",), "", "Which course shall we offer twice next quarter?",
             ("First aid", "Spreadsheet basics", "Reading drawings", "Giving feedback"), multiple=True),
    PollText(("people",), "", "Soup for the late shift, at what time?", ("17:30", "18:30", "19:30")),
    PollText(("operations",), "customer_voice", "What do customers ask you most often?",
             ("Delivery date", "Spare parts", "Certificates", "Prices")),
    PollText(("people",), "sustainability", "Where do you see waste that nobody talks about?",
             ("Heating", "Packaging", "Paper", "Standby machines"), multiple=True),
    PollText(("finance",), "", "Expense receipts: how do you hand them in?", ("Photo", "Scan", "Paper", "Too late")),
    PollText(("supplier", "operations"), "inbound", "Which dock time is best for a second truck?",
             ("Before 8:00", "9:00 to 11:00", "After 13:00")),
    PollText(("people",), "new_starters", "How long did you need to find your way around?",
             ("A day", "A week", "A month", "I still get lost")),
    PollText(("operations",), "", "Saturday shift for the rush order: who is in?",
             ("Yes", "Only if needed", "Not this time")),
    PollText(("finance",), "", "Monthly pack: which format do you read?",
             ("Slides", "One page", "The table", "Spoken, in the meeting")),
    PollText(("people",), "", "Next lunch walk: which way?", ("The canal", "The windmill", "Through the halls")),
)  # fmt: skip

DIRECT = _texts("""
    Could you look at order {order} with me on {day}? I would rather show you than write it.

    Thank you for your help with {part} this week. It made a difference.

    Are you free at {hour}? I have a question about {system} that fits no ticket.
""")

# These fit whatever was told, asked or put to the vote.
TO_NEWS = _replies("""
    Thank you for telling us early.

    Good to know, thanks.

    Thanks, I pass it on to my team.

    Is that written down somewhere? >> Yes, in the folder of the team.

    Could you put it on the board as well? >> It hangs there now.

    We talk about it in our morning round.

    Thanks for writing it here and not in a mail.

    Whom do I ask when I have questions? >> Me, at any time.

    That is clear, thank you.

    I put it on the agenda of {day}. >> Thank you, I come along.

    Noted for {place}.

    Will you tell us how it goes on? >> Yes, I write here again on {day}.
""")
TO_QUESTIONS = _replies("""
    Let me ask in our team, I come back to you. >> Thank you!

    I would like to know that, too.

    Call me at {hour}, that is quicker than writing. >> I do, thanks.

    I can help, but only from {day} on. >> That is early enough.
""")
TO_POLLS = _replies("""
    Voted.

    Two answers would be right for me, I took the first. >> Thanks, I count both in my head.

    Thank you for asking before deciding.

    Until when can we vote? >> It says so below the answers, about four weeks.

    Hard to say, ask me again in winter.
""")
ANSWERS = ("Thank you!", "Thanks, that helps.", "Good, thank you.", "Gladly.", "Noted, thanks.")
"""What fits as an answer to a reply that brings no answer of its own."""
