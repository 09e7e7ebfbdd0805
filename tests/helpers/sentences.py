"""English sentences: plain ones for an aligner to hear, and such whose words are hard to find in their phonemes."""

PLAIN = """\
The old man walked slowly down the road.
She opened the window and looked at the garden.
We will meet again tomorrow morning.
The children played in the park until dark.
My brother bought a new car last week.
It was raining when they came home.
The teacher wrote the answer on the board.
I would like a cup of coffee with milk.
The train arrived late because of the snow.
They found a small boat near the river.
He read the letter twice before he spoke.
The cat slept on the warm chair by the fire.
Please close the door when you leave.
The doctor said that she needed more rest.
A strong wind blew across the empty field.
Our neighbors have a large black dog.
The sun was bright and the sky was clear.
You can find the keys under the table.
The farmer sold his apples at the market.
Nobody knew where the money had gone.
The ship sailed into the harbor at night.
She sang a quiet song for the baby.
The students asked many good questions.
There is a bridge over the deep water.
He put the bread and butter on the plate.
The story began a long time ago.
I heard a strange noise in the kitchen.
Most people like to travel in the summer.
The king gave the girl a golden ring.
We painted the house white and blue.""".splitlines()

HARD = """\
Dr. Smith paid $3.50 for 20% of it on March 3, 2025.
It's 3:05 p.m., and Mrs. O'Brien isn't here yet.
The well-known actor Jean-Luc arrived at 9 o'clock.
I've got 42 apples, 7 pears and 1,200 grapes.
We'll meet at St. John's church on the 4th of July.
The U.S. economy grew by 2.5% in 1999.
Chapter IV begins on page 213.
Mr. and Mrs. Jones live at 221 Baker St. in London.
My mother-in-law's twenty-first birthday was a success.
He wouldn't've done it if she hadn't asked him to.
The temperature fell to -5 degrees on Friday night.
NASA launched 3 rockets in 2021, didn't they?
Call 555-123-4567 for more information.
She ran 10 km in 45 minutes and 30 seconds.
The state-of-the-art lab cost $12 million.
Prof. Xavier teaches biology at M.I.T.
You can't have your cake and eat it, too.
About 50-60 people came to the open-air concert.
The book costs €15.99, or £13 in the U.K.
His e-mail address isn't the one I've written down.
They're re-reading Tolstoy's War and Peace.
On the 21st of October, 1805, Nelson won at Trafalgar.
I'd rather stay than go, wouldn't you?
The 1980s were great for rock 'n' roll.
Sir Arthur Conan Doyle wrote Sherlock Holmes.
Dr. Watson's notes are in room no. 12B.
Three quarters of the pie is 3/4 of it.
Let's go to Mt. Everest, said Capt. Kirk.
The meeting's at 14:30, not at 2 p.m. sharp.
It was a half-hearted, so-called apology.
Version 2.0 of the app weighs 30 MB.
Louis XIV was king for seventy-two years.
The CEO of ABC Corp. resigned on Jan. 5.
What's the matter with kids these days?
Ms. García-Lopez flew from Zürich to Malmö.
That's one of the best of the lot.
There's no such thing as a free lunch.
Most of them would have been out of the way.
Shouldn't we have told them about it?
The ice-cream man's van has a two-tone horn.
He's 6 feet tall and weighs 180 lbs.
It'll take 5 to 10 business days, i.e. a week or two.
Approx. 300 guests, e.g. friends and family, were there.
The non-stop flight to New York-JFK takes 8 hours.
We had bread, butter, etc. for breakfast.
The ex-president spoke at 10 Downing Street.
In the beginning God created the heaven and the earth.
A rolling stone gathers no moss, as they say.
To be or not to be, that is the question.
O'Neill and McDonald weren't on the list.
Forty-two percent of the 1,000 voters said so.
Her sister-in-law lives on 5th Avenue.
The T-shirt is $20, the X-ray isn't cheap.
Don't forget: the deadline is 12/31/2024.
I can't believe it's not butter!
She'd have been the 3rd person in the queue.
Jr. engineers earn 10-20% less than Sr. engineers.
The Rev. Martin Luther King Jr. had a dream.
You're in for a treat at the end of the day.
It's a quarter past nine, and all's well.""".splitlines()
