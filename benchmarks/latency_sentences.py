"""Fifty sentences with clauses, for joints and for what a recogniser hears."""

SENTENCES = """\
When the rain had stopped, the children ran into the garden and looked for snails.
The old man smiled, because he had heard that story many times before.
If you open the window, you can hear the river behind the houses.
She had forgotten her keys; her brother had to climb through the kitchen window.
After a long and difficult winter, the farmers were glad to see the sun again.
There was only one problem: nobody knew how to drive the truck.
The train was late, so they drank another cup of coffee and talked about the weather.
He opened the letter slowly, and his hands began to shake a little.
Although the shop was small, it had everything that a person could need.
The teacher closed her book, looked at the class and waited until it was quiet.
They walked along the beach for an hour, but they did not find the ring.
In the middle of the night, a loud noise woke the whole family.
My sister, who lives in the city, comes to visit us every summer.
The door was locked; the light in the hall was still on.
As soon as the music began, everybody stood up and danced.
You can take the bus, or you can walk through the park if you have time.
The cat jumped onto the table, knocked over a glass and ran away.
Before we leave the house, we should close all of the windows.
He wanted to say something, but the words would not come.
The soup was hot, the bread was fresh, and nobody spoke for a while.
Because the road was closed, they had to drive around the lake.
It was a simple plan: they would wait until dark and cross the field.
The doctor listened carefully, wrote something down and asked another question.
While the others were sleeping, she repaired the broken chair.
The bridge, which was built a hundred years ago, is too narrow for trucks.
I have read the first chapter, but I do not know how the story ends.
The wind blew harder, and the small boats turned back to the harbor.
Once a week, the neighbors meet in the garden and share a meal.
The boy counted his money, thought for a moment and bought the red kite.
Unless it rains tomorrow, we will finish the roof before the evening.
The museum was empty; only a guard walked slowly through the rooms.
She speaks three languages, plays the piano and can repair almost any machine.
At the end of the street, there is a bakery that opens at five.
He looked at the map again, shook his head and turned the car around.
The guests had gone home, yet the smell of coffee was still in the air.
From the top of the hill, you can see the lights of the whole valley.
The answer was clear: they needed more time and a better idea.
When he finally found the house, nobody was at home.
The river was high, so the ferry did not leave until the afternoon.
My grandfather, a quiet man, could tell the time by looking at the sun.
They planted apples, pears and plums behind the old stone wall.
Since the heating was broken, everyone kept their coats on.
The dog waited at the gate every evening, whatever the weather was like.
She took a deep breath, opened the door and stepped onto the stage.
Some people like the mountains, others would rather live by the sea.
If the letter comes today, please put it on my desk.
The lamp went out, and for a few seconds it was completely dark.
He never asked for help; he simply worked until it was done.
During the summer, the village is full of visitors from the north.
The captain studied the clouds, folded the chart and changed the course.
""".splitlines()
